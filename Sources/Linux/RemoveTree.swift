// The launcher removes nothing: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    extension OwnedFD {
        /// Removes an entry of this directory and, if it is a directory, all below it. A missing entry is success.
        ///
        /// What a container left behind is hostile: no symbolic link is followed, no mount is entered (EXDEV), and depth is
        /// bounded by moving what lies deeper up to the top first (CVE-2024-23652 is what paths do here).
        package func removeTree(_ name: Path) throws(Errno) {
            do throws(Errno) {
                try unlink(name)
                return
            } catch Errno.noEntry {
                return
            } catch Errno.isDirectory {
            } catch Errno.notPermitted {
                // unlink(2) of a directory on some file systems.
            }
            do throws(Errno) {
                let top = try openForRemoval(name)
                var moved = 0
                while try top.removeEntries(depth: 0, top: top, moved: &moved) {}
            } catch Errno.noEntry {
                return
            } catch Errno.notDirectory {
                try unlink(name)
                return
            }
            do throws(Errno) { try unlink(name, directory: true) } catch Errno.noEntry {}
        }

        private static var depthMax: Int { 32 }

        private func openForRemoval(_ name: Path) throws(Errno) -> OwnedFD {
            try open(name, [.readOnly, .directory, .noFollow], resolve: [.noCrossDevice, .noSymlinks])
        }

        /// True if something was removed or moved, so that another look is needed.
        private func removeEntries(depth: Int, top: borrowing OwnedFD, moved: inout Int) throws(Errno) -> Bool {
            var changed = false
            try seek(to: 0)
            while true {
                let entries = try entriesPart()
                if entries.isEmpty { return changed }
                for entry in entries where !entry.isDot {
                    changed = true
                    let name = Path(entry.name)
                    do throws(Errno) {
                        try unlink(name)
                        continue
                    } catch Errno.noEntry {
                        continue
                    } catch Errno.isDirectory {
                    } catch Errno.notPermitted {
                        if entry.kind != .directory { throw Errno.notPermitted }
                    }
                    if depth >= Self.depthMax {
                        moved += 1
                        try rename(name, to: Path(Array("..swiftlet-".utf8) + decimal(UInt64(moved))), in: top)
                        continue
                    }
                    let child = try openForRemoval(name)
                    while try child.removeEntries(depth: depth + 1, top: top, moved: &moved) {}
                    try unlink(name, directory: true)
                }
            }
        }
    }
#endif
