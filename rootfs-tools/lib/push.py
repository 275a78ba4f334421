"""Puts the images of a layout into a registry (distribution-spec, Push)."""

import http.client
import json

import oci

# Registry names whose images are mirrored; the path below them is the repository, as mirrors see it.
HOSTS = ("docker.io", "registry-1.docker.io", "gcr.io", "k8s.gcr.io", "registry.k8s.io", "quay.io", "ghcr.io",
         "public.ecr.aws", "mcr.microsoft.com")


class PushError(Exception):
    pass


def split(name):
    """(repository, tag) of a full public name: registry.k8s.io/pause:3.9 -> (pause, 3.9)."""
    host, _, rest = name.partition("/")
    if host not in HOSTS:
        raise PushError(f"image name {name!r} begins with no registry known here")
    repository, _, tag = rest.rpartition(":")
    return repository, tag


class Registry:
    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def call(self, method, path, body=None, headers=None, accept=(200, 201, 202)):
        self.connection.request(method, path, body=body, headers=headers or {})
        response = self.connection.getresponse()
        answer = response.read()
        if response.status not in accept:
            raise PushError(f"{method} {path}: {response.status} {answer[:500].decode(errors='replace')}")
        return response

    def blob(self, repository, layout, descriptor):
        digest = descriptor["digest"]
        if self.call("HEAD", f"/v2/{repository}/blobs/{digest}", accept=(200, 404)).status == 200:
            return
        location = self.call("POST", f"/v2/{repository}/blobs/uploads/", b"").headers["Location"]
        path = "/" + location.split("/", 3)[3] if location.startswith("http") else location
        path += ("&" if "?" in path else "?") + "digest=" + digest
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(descriptor["size"])}
        with open(layout.blob_path(digest), "rb") as body:
            self.call("PUT", path, body, headers)

    def manifest(self, repository, layout, descriptor, reference):
        """Puts a manifest or an index after everything that it names."""
        body = layout.blob(descriptor["digest"])
        content = json.loads(body)
        for child in content.get("manifests", ()):
            self.manifest(repository, layout, child, child["digest"])
        for blob in [content["config"], *content["layers"]] if "config" in content else ():
            self.blob(repository, layout, blob)
        self.call("PUT", f"/v2/{repository}/manifests/{reference}", body, {"Content-Type": descriptor["mediaType"]})


def push(address, path, wanted=None):
    """Pushes the images of the layout at `path` (all, or those named) and returns the names."""
    registry, layout, done = Registry(address), oci.Layout(path), []
    for name, descriptor in oci.read_names(path):
        if wanted and name not in wanted:
            continue
        repository, tag = split(name)
        registry.manifest(repository, layout, descriptor, tag)
        done.append(name)
    return done


def hosts_toml(host, address):
    """One registry's hosts.toml: every pull goes to the mirror, and nothing ever to the public registry."""
    return (f"# {host} is served by a registry on this machine.\n"
            f'server = "http://{address}"\n\n'
            f'[host."http://{address}"]\n'
            f'  capabilities = ["pull", "resolve"]\n')
