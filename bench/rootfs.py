#!/usr/bin/env python3
"""Unpacks an image of an OCI layout into a directory: rootfs.py NAME DIRECTORY LAYOUT...

NAME is part of the name under which a layout's index lists the image. Only for the images of this repository: no whiteouts.
"""

import json
import pathlib
import sys
import tarfile


def blob(layout, digest):
    algorithm, name = digest.split(":")
    return layout / "blobs" / algorithm / name


def unpack(layout, manifest, directory):
    for layer in json.loads(blob(layout, manifest["digest"]).read_text())["layers"]:
        with tarfile.open(blob(layout, layer["digest"])) as archive:
            archive.extractall(directory, filter="tar")


def main(name, directory, *layouts):
    for layout in map(pathlib.Path, layouts):
        for manifest in json.loads((layout / "index.json").read_text())["manifests"]:
            if name in manifest.get("annotations", {}).get("org.opencontainers.image.ref.name", ""):
                return unpack(layout, manifest, directory)
    sys.exit(f"no layout has an image named {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
