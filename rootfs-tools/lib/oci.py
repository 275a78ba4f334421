"""OCI image layouts written byte for byte the same on every run: layers, manifests, indexes, names."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile

# One fixed moment for every file and configuration, so that a digest depends on content alone.
MOMENT = 1700000000
MOMENT_TEXT = "2023-11-14T22:13:20Z"

OCI = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "index": "application/vnd.oci.image.index.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}
DOCKER = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
NAME = "org.opencontainers.image.ref.name"


def encode(value):
    """JSON as this tool always writes it, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Tree:
    """The entries of one layer, kept by path and written in sorted order."""

    def __init__(self):
        self.entries = {}

    def _add(self, path, kind, mode, uid=0, gid=0, data=b"", link=""):
        path = path.strip("/")
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.directory(parent)
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.uid, info.gid, info.mtime = kind, mode, uid, gid, MOMENT
        info.linkname, info.size = link, len(data)
        self.entries[path] = (info, data)
        return self

    def directory(self, path, mode=0o755, uid=0, gid=0):
        return self._add(path, tarfile.DIRTYPE, mode, uid, gid)

    def file(self, path, data, mode=0o644, uid=0, gid=0):
        return self._add(path, tarfile.REGTYPE, mode, uid, gid, data.encode() if isinstance(data, str) else data)

    def symlink(self, path, target):
        return self._add(path, tarfile.SYMTYPE, 0o777, link=target)

    def hardlink(self, path, target):
        """A second name of a file of this layer; sorted after the file because layers are written files first."""
        return self._add(path, tarfile.LNKTYPE, 0o755, link=target.strip("/"))

    def whiteout(self, path):
        """Hides `path` of the layers below (image-spec, layer.md, Whiteouts)."""
        directory, name = os.path.split(path.strip("/"))
        return self.file(os.path.join(directory, ".wh." + name), b"")

    def opaque(self, path):
        """Hides everything that layers below have in the directory `path`."""
        return self.directory(path).file(os.path.join(path, ".wh..wh..opq"), b"")

    def host_tree(self, root, skip=()):
        """Everything below the directory `root` of this machine, owned by root, set-id bits dropped."""
        for folder, folders, files in os.walk(root):
            folders.sort()
            for name in sorted(folders + files):
                full = os.path.join(folder, name)
                path = os.path.relpath(full, root)
                if any(path == s or path.startswith(s + "/") for s in skip):
                    continue
                if os.path.islink(full):
                    self.symlink(path, os.readlink(full))
                elif os.path.isdir(full):
                    self.directory(path)
                elif os.path.isfile(full):
                    with open(full, "rb") as source:
                        self.file(path, source.read(), os.stat(full).st_mode & 0o755)
        return self

    def write(self, stream):
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
            order = sorted(self.entries.items(), key=lambda item: (item[1][0].type == tarfile.LNKTYPE, item[0]))
            for _, (info, data) in order:
                tar.addfile(info, io.BytesIO(data))


class _Hashing:
    """A writer that passes on and remembers the digest and size of what went through."""

    def __init__(self, below):
        self.below, self.digest, self.size = below, hashlib.sha256(), 0

    def tell(self):
        return self.size

    def flush(self):
        self.below.flush()

    def write(self, data):
        self.digest.update(data)
        self.size += len(data)
        self.below.write(data)
        return len(data)

    def name(self):
        return "sha256:" + self.digest.hexdigest()


class Layout:
    """An OCI image layout directory (image-spec, image-layout.md)."""

    def __init__(self, path):
        self.path = path
        self.names = []
        os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)

    def blob_path(self, digest):
        return os.path.join(self.path, "blobs", *digest.split(":", 1))

    def blob(self, digest):
        with open(self.blob_path(digest), "rb") as source:
            return source.read()

    def put(self, data, media):
        """Stores bytes and returns their descriptor."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        with open(self.blob_path(digest), "wb") as out:
            out.write(data)
        return {"mediaType": media, "digest": digest, "size": len(data)}

    def layer(self, tree, level=6):
        """Stores a layer and returns its descriptor together with its diff id."""
        with tempfile.NamedTemporaryFile(dir=self.path, delete=False) as out:
            packed = _Hashing(out)
            with gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=packed, mtime=0) as zipped:
                plain = _Hashing(zipped)
                tree.write(plain)
        os.chmod(out.name, 0o644)
        os.rename(out.name, self.blob_path(packed.name()))
        return ({"mediaType": OCI["layer"], "digest": packed.name(), "size": packed.size}, plain.name())

    def image(self, layers, config=None, kinds=OCI, architecture="amd64"):
        """Stores configuration and manifest over the `layers` given; returns the manifest's descriptor."""
        body = {
            "architecture": architecture,
            "os": "linux",
            "created": MOMENT_TEXT,
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [diff for _, diff in layers]},
            "history": [{"created": MOMENT_TEXT, "created_by": "rootfs-tools"} for _ in layers],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": kinds["manifest"],
            "config": self.put(encode(body), kinds["config"]),
            "layers": [dict(descriptor, mediaType=kinds["layer"]) for descriptor, _ in layers],
        }
        descriptor = self.put(encode(manifest), kinds["manifest"])
        return dict(descriptor, platform={"architecture": architecture, "os": "linux"})

    def index(self, manifests, kinds=OCI):
        """Stores an index over manifests of several platforms; returns its descriptor."""
        return self.put(
            encode({"schemaVersion": 2, "mediaType": kinds["index"], "manifests": manifests}), kinds["index"])

    def tag(self, descriptor, *names):
        for name in names:
            self.names.append(dict(descriptor, annotations={NAME: name}))

    def save(self):
        """Writes the files that make the directory a layout; without them it is unfinished."""
        with open(os.path.join(self.path, "oci-layout"), "wb") as out:
            out.write(encode({"imageLayoutVersion": "1.0.0"}))
        with open(os.path.join(self.path, "index.json"), "wb") as out:
            out.write(encode({"schemaVersion": 2, "mediaType": OCI["index"], "manifests": self.names}))


def read_names(path):
    """The (name, descriptor) pairs of a saved layout."""
    with open(os.path.join(path, "index.json"), "rb") as source:
        manifests = json.load(source)["manifests"]
    return [(m["annotations"][NAME], m) for m in manifests]
