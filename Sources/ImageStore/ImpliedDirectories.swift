import Linux

/// Directories of a layer that its archive needed but did not bring.
///
/// Overlayfs shows the uppermost layer's owner and mode, so that such a directory must have those of the layers below
/// it, or `/tmp` would lose its sticky bit to a layer that merely has a file in it. A layer where that changes
/// something is kept a second time, for that chain of layers only; the first is good for all other images.
enum ImpliedDirectories {
    /// What a directory must have that differs from what `LayerWriter` gave it.
    struct Fix: Equatable {
        var path: LayerPath
        var uid: UInt32
        var gid: UInt32
        var mode: UInt32
    }

    static let fileBytesMax = 64 << 20

    static func file(_ layer: String) -> Path { Path("\(layer).implied") }

    /// Each path with a NUL behind it.
    static func encode(_ paths: [LayerPath]) -> [UInt8] {
        Array(paths.map(\.bytes).sorted(by: { $0.lexicographicallyPrecedes($1) }).joined { 0 })
    }

    static func decode(_ bytes: [UInt8]) throws(ImageStoreError) -> [LayerPath] {
        var paths: [LayerPath] = []
        for path in bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            paths.append(path.isEmpty ? .root : try LayerPath(Array(path)))
        }
        return paths
    }

    /// What the layers below, uppermost last, want of these directories.
    static func fixes(_ paths: [LayerPath], above lower: [SharedFD]) throws(ImageStoreError) -> [Fix] {
        var fixes: [Fix] = []
        for path in paths {
            let found: FileStatus?
            do throws(Errno) { found = try status(of: path, in: lower) } catch {
                throw ImageStoreError("look up", printable(path.bytes), error)
            }
            guard let found, found.uid != 0 || found.gid != 0 || found.mode != 0o755 else { continue }
            fixes.append(Fix(path: path, uid: found.uid, gid: found.gid, mode: found.mode))
        }
        return fixes
    }

    static func apply(_ fixes: [Fix], to root: SharedFD) throws(ImageStoreError) {
        for fix in fixes {
            do throws(Errno) {
                let place = fix.path.isRoot ? root : try root.fd.openDirectory(fix.path, followingLinks: false)
                let directory = try place.fd.reopen([.readOnly, .directory])
                try directory.changeOwner(uid: fix.uid, gid: fix.gid)
                try directory.changeMode(fix.mode)
            } catch {
                // A later member of the archive took its place.
                if error == .noEntry || error == .notDirectory || error == .tooManyLinks { continue }
                throw ImageStoreError("fix", printable(fix.path.bytes), error)
            }
        }
    }

    /// The directory that shows at this path in the layers, as overlayfs would find it.
    private static func status(of path: LayerPath, in layers: [SharedFD]) throws(Errno) -> FileStatus? {
        for layer in layers.reversed() {
            do throws(Errno) {
                if path.isRoot { return try layer.fd.status() }
                return try layer.fd.openDirectory(path, followingLinks: false).fd.status()
            } catch {
                switch error {
                case .noEntry: if try hides(path, in: layer) { return nil }
                // A file, a link or a whiteout: nothing of lower layers shows.
                case .notDirectory, .tooManyLinks: return nil
                default: throw error
                }
            }
        }
        return nil
    }

    /// Whether an opaque directory above the path hides it in lower layers.
    private static func hides(_ path: LayerPath, in layer: SharedFD) throws(Errno) -> Bool {
        for step in path.ancestry {
            let directory: SharedFD
            do throws(Errno) {
                directory = try layer.fd.openDirectory(step, followingLinks: false)
            } catch {
                return false
            }
            let opened = try directory.fd.reopen([.readOnly, .directory])
            if try opened.attribute(Overlay.opaqueAttribute) == Overlay.yes { return true }
        }
        return false
    }
}

extension Array where Element == [UInt8] {
    /// All elements, each with a byte behind it.
    fileprivate func joined(_ terminator: () -> UInt8) -> [UInt8] { flatMap { $0 + [terminator()] } }
}
