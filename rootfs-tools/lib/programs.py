"""The programs that images need and no Debian package has in the right form: built here, static, small."""

import hashlib
import os
import re
import subprocess

import debian

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Debian's static busybox has neither pgrep nor ipcs, and its sh runs applets inside itself: a process is then not
# found by its name, and a masked /bin/ls still works. Conformance suites look at both.
BUSYBOX = {
    "FEATURE_SH_STANDALONE": "n", "FEATURE_PREFER_APPLETS": "n", "FEATURE_SH_NOFORK": "n",
    "PGREP": "y", "PKILL": "y", "IPCS": "y", "IPCRM": "y",
}


def compile_c(name, store):
    """The path of the static program built from programs/NAME.c."""
    source = os.path.join(HERE, "programs", name + ".c")
    with open(source, "rb") as text:
        out = os.path.join(store, f"{name}-{hashlib.sha256(text.read()).hexdigest()[:12]}")
    if not os.path.exists(out):
        command = ["gcc", "-static", "-Os", "-s", "-Wall", "-Werror", "-Wl,--build-id=none", "-o", out, source]
        subprocess.run(command, check=True)
    return out


def debian_busybox(store):
    """The busybox of Debian's busybox-static package."""
    root = os.path.join(store, "busybox-static")
    if not os.path.isdir(root):
        debian.unpack(["busybox-static"], os.path.join(store, "debs"), root)
    return os.path.join(root, "bin", "busybox")


def full_busybox(store):
    """A busybox built from Debian's source package whose sh runs every applet as a program of its own."""
    out = os.path.join(store, "busybox-" + hashlib.sha256(repr(BUSYBOX).encode()).hexdigest()[:12])
    if os.path.exists(out):
        return out
    tree = debian.source("busybox", os.path.join(store, "source"))
    with open(os.path.join(tree, "debian", "config", "pkg", "static")) as source:
        config = source.read()
    for key, value in BUSYBOX.items():
        config = re.sub(rf"^(# )?CONFIG_{key}[ =].*\n", "", config, flags=re.M)
        config += f"CONFIG_{key}=y\n" if value == "y" else f"# CONFIG_{key} is not set\n"
    with open(os.path.join(tree, ".config"), "w") as target:
        target.write(config)
    environment = dict(os.environ, KCONFIG_NOTIMESTAMP="1", SOURCE_DATE_EPOCH="1700000000", LC_ALL="C")
    with open(os.path.join(store, "busybox-build.log"), "wb") as log:
        quiet = {"cwd": tree, "env": environment, "stdout": log, "stderr": log, "check": True}
        subprocess.run("yes '' | make oldconfig", shell=True, **quiet)
        subprocess.run(["make", f"-j{os.cpu_count() or 1}", "busybox"], **quiet)
    os.rename(os.path.join(tree, "busybox"), out)
    return out


def applets(busybox):
    """The paths (without leading slash) of every applet of a busybox."""
    listed = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=True).stdout.split()
    return sorted({"bin/" + os.path.basename(path) for path in listed} - {"bin/busybox"})
