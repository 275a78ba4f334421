"""Debian packages as raw material: downloaded with apt, unpacked with dpkg, never installed."""

import glob
import os
import shutil
import subprocess
import tempfile
import time

APT = ["-qq", "-o", "APT::Sandbox::User=root"]
# Seconds before each further attempt to reach the archive; nothing after the last.
PAUSES = [0, 5, 20, None]
# Documentation and what only other programs of those packages need.
SKIP = ("usr/share/doc", "usr/share/man", "usr/share/lintian", "usr/share/locale", "usr/lib/x86_64-linux-gnu/gconv")


def _run(command, cwd, quiet=False):
    # Everything a command says belongs to stderr: stdout is kept for the answer of the tool.
    out = subprocess.DEVNULL if quiet else 2
    return subprocess.run(command, cwd=cwd, stdout=out, check=True)


def download(package, store):
    """The path of the package's .deb below `store`, downloading it only when none is there."""
    os.makedirs(store, exist_ok=True)
    found = sorted(glob.glob(os.path.join(store, package + "_*.deb")))
    if not found:
        for pause in PAUSES:
            try:
                _run(["apt-get", *APT, "download", package], store)
                break
            except subprocess.CalledProcessError:
                if pause is None:
                    raise
                # The lists may name a version that the archive no longer has, or the network fails for a moment.
                time.sleep(pause)
                subprocess.run(["apt-get", *APT, "update"], cwd=store, stdout=2, check=False)
        found = sorted(glob.glob(os.path.join(store, package + "_*.deb")))
    return found[-1]


def unpack(packages, store, into):
    """Unpacks the packages into the directory `into`, which comes to be whole or not at all where it did not exist."""
    archives = [download(package, store) for package in packages]
    if os.path.isdir(into):
        for archive in archives:
            _run(["dpkg-deb", "-x", archive, into], store)
        return into
    os.makedirs(os.path.dirname(into), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(into)) as work:
        tree = os.path.join(work, "tree")
        os.mkdir(tree, 0o755)
        for archive in archives:
            _run(["dpkg-deb", "-x", archive, tree], store)
        os.rename(tree, into)
    return into


def source(package, store):
    """The unpacked and patched source of a package, through a source list made for this call alone."""
    tree = os.path.join(store, package)
    if os.path.isdir(tree):
        return tree
    os.makedirs(store, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store) as work:
        os.makedirs(os.path.join(work, "lists", "partial"))
        suite = subprocess.run(
            ["sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME"], capture_output=True, text=True, check=True
        ).stdout.strip()
        with open(os.path.join(work, "sources.list"), "w") as out:
            signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
            out.write(f"deb-src {signed} http://deb.debian.org/debian {suite} main\n")
            out.write(f"deb-src {signed} http://deb.debian.org/debian-security {suite}-security main\n")
        options = [
            *APT, "-o", f"Dir::Etc::SourceList={work}/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null",
            "-o", f"Dir::State::Lists={work}/lists", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
        ]
        _run(["apt-get", *options, "update"], work)
        _run(["apt-get", *options, "source", "--download-only", package], work)
        description = glob.glob(os.path.join(work, "*.dsc"))[0]
        _run(["dpkg-source", "--no-check", "-x", description, os.path.join(work, "tree")], work, quiet=True)
        shutil.move(os.path.join(work, "tree"), tree)
    return tree
