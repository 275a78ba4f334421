"""Every image this repository tests with: what is in it and the public names it is served under."""

import os
import random

import debian
import programs
from oci import DOCKER, Tree

USERS = "".join(f"{line}\n" for line in (
    "root:x:0:0:root:/root:/bin/sh",
    "daemon:x:1:1:daemon:/usr/sbin:/bin/false",
    "bin:x:2:2:bin:/bin:/bin/false",
    "www-data:x:33:33:www-data:/var/www:/bin/false",
    "operator:x:37:37:Operator:/var:/bin/false",
    "nobody:x:65534:65534:nobody:/home:/bin/false",
))
GROUPS = "".join(f"{line}\n" for line in (
    "root:x:0:", "daemon:x:1:", "bin:x:2:", "tty:x:5:", "disk:x:6:", "wheel:x:10:root", "www-data:x:33:",
    "utmp:x:43:", "users:x:100:", "nobody:x:65534:",
))
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELL = {"Cmd": ["sh"], "Env": [PATH]}

E2E = "registry.k8s.io/e2e-test-images/"
CRI = "gcr.io/k8s-staging-cri-tools/"


class Builder:
    """Builds images into one layout; layers that images share are written once."""

    def __init__(self, layout, store):
        self.layout, self.store, self.kept = layout, store, {}

    def once(self, key, make):
        if key not in self.kept:
            self.kept[key] = self.layout.layer(make())
        return self.kept[key]

    def build(self, layers, config, *names, **more):
        self.layout.tag(self.layout.image(layers, config, **more), *names)

    # MARK: layers that several images begin with

    def busybox(self, kind):
        """A root file system around busybox. Applets are hard links, so that masking one leaves the others alone."""
        make = {"debian": programs.debian_busybox, "full": programs.full_busybox}[kind]
        return self.once("busybox-" + kind, lambda: busybox_tree(make(self.store)))

    def web(self):
        def tree():
            return Tree().file("www/index.html", "<html><body>it works</body></html>\n")
        return self.once("web", tree)

    def nginx(self, port):
        def tree():
            root = os.path.join(self.store, "nginx")
            libraries = ["libc6", "libcrypt1", "libpcre2-8-0", "libssl3", "zlib1g"]
            if not os.path.isdir(root):
                debian.unpack(["nginx", "nginx-common", *libraries], os.path.join(self.store, "debs"), root)
            result = Tree().host_tree(root, skip=debian.SKIP + ("etc", "var", "lib/systemd", "usr/share/nginx"))
            with open(os.path.join(root, "etc", "nginx", "mime.types"), "rb") as types:
                result.file("etc/nginx/mime.types", types.read())
            result.file("etc/nginx/nginx.conf", nginx_configuration(port))
            result.file("usr/share/nginx/html/index.html", "<html><body>Welcome to nginx!</body></html>\n")
            result.symlink("var/run", "/run").directory("run").directory("var/lib/nginx")
            result.symlink("var/log/nginx/access.log", "/dev/stdout")
            return result.symlink("var/log/nginx/error.log", "/dev/stderr")
        return self.once(f"nginx-{port}", tree)


def busybox_tree(binary):
    tree = Tree()
    with open(binary, "rb") as source:
        tree.file("bin/busybox", source.read(), 0o755)
    for path in programs.applets(binary):
        tree.hardlink(path, "bin/busybox")
    for path in ("dev", "etc", "home", "proc", "sys", "usr/bin", "usr/sbin", "var/www", "var/log", "mnt"):
        tree.directory(path)
    tree.directory("root", 0o700).directory("tmp", 0o1777).directory("var/tmp", 0o1777)
    tree.file("etc/passwd", USERS).file("etc/group", GROUPS)
    return tree.file("etc/shadow", "root:*:19000:0:99999:7:::\n", 0o640)


def nginx_configuration(port):
    return f"""user www-data;
worker_processes 1;
pid /var/run/nginx.pid;
error_log /var/log/nginx/error.log warn;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log /var/log/nginx/access.log;
    server {{
        listen {port};
        location / {{ root /usr/share/nginx/html; index index.html; }}
    }}
}}
"""


# MARK: images of our own tests

def base(builder):
    """The images that the runtime's own tests and its demonstration use."""
    busybox = builder.busybox("debian")
    manifest = builder.layout.image([busybox], SHELL)
    builder.layout.tag(manifest, "docker.io/library/busybox:latest")
    builder.build([busybox], SHELL, "docker.io/library/busybox:docker", kinds=DOCKER)

    other = builder.layout.layer(Tree().file("etc/other-architecture", "not for this machine\n"))
    foreign = builder.layout.image([busybox, other], SHELL, architecture="s390x")
    builder.layout.tag(builder.layout.index([foreign, manifest]), "docker.io/library/busybox:multi")

    # The port is the argument: `web 8080` listens on 8080.
    served = {"Entrypoint": ["/bin/httpd", "-f", "-vv", "-h", "/www", "-p"], "Cmd": ["80"], "Env": [PATH],
              "ExposedPorts": {"80/tcp": {}}}
    builder.build([busybox, builder.web()], served, "docker.io/swiftlet/web:latest")

    many = [busybox] + [builder.once(f"numbered-{i}", lambda i=i: numbered(i)) for i in range(2, 129)]
    for count in (81, 127, 128):
        builder.build(many[:count], SHELL, f"docker.io/swiftlet/layers:{count}")

    builder.build([busybox] + big(builder), SHELL, "docker.io/swiftlet/big:latest")
    builder.build([busybox] + changes(builder), SHELL, "docker.io/swiftlet/changes:latest")

    volumes = builder.layout.layer(
        Tree().file("data/seed", "from the image\n", 0o640, 33, 33).directory("data/empty", 0o700, 33, 33)
        .symlink("data/link", "/etc/passwd"))
    builder.build([busybox, volumes], {**SHELL, "Volumes": {"/data": {}}}, "docker.io/swiftlet/volumes:latest")


def numbered(i):
    return Tree().file(f"layers/{i:03}", f"layer {i}\n").file("layers/last", f"{i}\n")


def big(builder):
    """About 100 MB unpacked in four layers, half of it random and half of it text."""
    layers = []
    for number in range(2):
        noise = random.Random(number)
        tree = Tree()
        for part in range(5):
            tree.file(f"big/random-{number}-{part}", noise.randbytes(5 << 20))
        layers.append(builder.layout.layer(tree, level=1))
        tree = Tree()
        for part in range(500):
            line = f"layer {number} file {part} says the same thing many times over\n"
            tree.file(f"big/text-{number}/{part // 50}/{part}", (line * 1000)[: 50 << 10])
        layers.append(builder.layout.layer(tree))
    return layers


def changes(builder):
    """Upper layers that delete, hide, replace and link what lower ones have."""
    lower = (Tree().file("changes/deleted", "x").file("changes/replaced", "old\n").file("changes/dir/old", "x")
             .file("changes/tree/a/b", "x").file("changes/to-dir", "x").file("changes/set-id", "x", 0o6755)
             .symlink("changes/absolute", "/etc/passwd").symlink("changes/upwards", "../../../../etc/passwd"))
    upper = (Tree().whiteout("changes/deleted").file("changes/replaced", "new\n", 0o600, 1000, 1000)
             .opaque("changes/dir").file("changes/dir/new", "x").whiteout("changes/tree")
             .file("changes/to-dir/inside", "x").file("changes/first", "linked\n")
             .hardlink("changes/second", "changes/first"))
    return [builder.layout.layer(lower), builder.layout.layer(upper)]


# MARK: images that the CRI conformance suite names

def conformance(builder):
    """Images which behave as those named by the CRI conformance suite do, under the same names."""
    shell = builder.busybox("full")
    builder.build([shell], SHELL, E2E + "busybox:1.29-2")

    nginx = {"Entrypoint": ["nginx", "-g", "daemon off;"], "Env": [PATH], "ExposedPorts": {"80/tcp": {}},
             "StopSignal": "SIGQUIT"}
    builder.build([shell, builder.nginx(80)], nginx, E2E + "nginx:1.14-2")
    builder.build([shell, builder.nginx(12003)], nginx, CRI + "hostnet-nginx-amd64:latest")

    said = "echo 'httpd: serving /www on port 80'; exec httpd -f -vv -h /www -p 80"
    httpd = {"Cmd": ["sh", "-c", said], "Env": [PATH], "ExposedPorts": {"80/tcp": {}}}
    builder.build([shell, builder.web()], httpd, E2E + "httpd:2.4.39-4")

    builder.build([program(builder, "effective-uid", 0o4755)], {"Entrypoint": ["/effective-uid"], "Env": [PATH]},
                  E2E + "nonewprivs:1.3")
    builder.build([program(builder, "pause", 0o755)], {"Entrypoint": ["/pause"], "Env": [PATH], "User": "65535:65535"},
                  "registry.k8s.io/pause:3.9", "k8s.gcr.io/pause:3.9")

    for suffix, user in (("uid", "1002"), ("username", "www-data"),
                         ("uid-group", "1003:1004"), ("username-group", "www-data:1004")):
        builder.build([shell], {**SHELL, "User": user}, f"{CRI}test-image-user-{suffix}:latest")
    member = builder.layout.layer(
        Tree().file("etc/passwd", USERS + "default-user:x:1000:1000:Linux User,,,:/home/default-user:/bin/sh\n")
        .file("etc/group", GROUPS + "default-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n")
        .directory("home/default-user", 0o755, 1000, 1000))
    builder.build([shell, member], {**SHELL, "User": "1000"}, CRI + "test-image-predefined-group:latest")

    # Each of these must be an image of its own; only the three of test-image-tags are one.
    for name in ("1", "2", "3", "latest"):
        builder.build([shell, marker(builder, name)], SHELL, f"{CRI}test-image-{name}:latest")
    single = builder.layout.image([shell, marker(builder, "digest")], SHELL)
    builder.layout.tag(builder.layout.index([single]), CRI + "test-image-digest:latest")
    for tag in ("test", "all"):
        builder.build([shell, marker(builder, tag)], SHELL, f"{CRI}test-image-tag:{tag}")
    builder.build([shell, marker(builder, "same-image")], SHELL, *(f"{CRI}test-image-tags:{t}" for t in (1, 2, 3)),
                  kinds=DOCKER)


def marker(builder, name):
    return builder.layout.layer(Tree().file(name, b""))


def program(builder, name, mode):
    with open(programs.compile_c(name, builder.store), "rb") as source:
        return builder.layout.layer(Tree().file(name, source.read(), mode).file("etc/passwd", USERS))


SETS = {"base": base, "conformance": conformance}
