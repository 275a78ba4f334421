import Linux

/// The marks that overlayfs reads in a layer (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque
/// directories").
enum Overlay {
    static let opaqueAttribute: Path = "trusted.overlay.opaque"
    static let yes: [UInt8] = [UInt8(ascii: "y")]
}

extension FileStatus {
    /// Character device 0:0.
    var isWhiteout: Bool { kind == .characterDevice && major == 0 && minor == 0 }
}

extension OwnedFD {
    /// What has this name in this directory; nil for nothing.
    func existing(_ name: Path) throws(Errno) -> FileStatus? {
        do throws(Errno) { return try status(name) } catch Errno.noEntry { return nil }
    }

    /// A directory below this one, which is the root for every link on the way.
    func openDirectory(_ path: LayerPath, followingLinks: Bool) throws(Errno) -> SharedFD {
        let flags: ResolveFlags =
            followingLinks ? [.inRoot, .noMagicLinks, .noCrossDevice] : [.beneath, .noSymlinks, .noCrossDevice]
        return SharedFD(try open(Path(path.bytes), [.path, .directory], resolve: flags))
    }

    /// As above, following links; nil where there is nothing.
    func existingDirectory(_ path: LayerPath) throws(Errno) -> SharedFD? {
        do throws(Errno) { return try openDirectory(path, followingLinks: true) } catch Errno.noEntry { return nil }
    }
}

/// Which extended attributes of an image reach the disk.
///
/// File capabilities and `user.*` do. Everything else is dropped: `trusted.overlay.*` and `user.overlay.*` are commands
/// to overlayfs, and labels of security modules are the host's to give.
enum LayerAttribute {
    private static let capability = Array("security.capability".utf8)
    private static let user = Array("user.".utf8)
    private static let userOverlay = Array("user.overlay.".utf8)

    static func isAllowed(_ name: [UInt8]) -> Bool {
        name == capability || name.starts(with: user) && name.count > user.count && !name.starts(with: userOverlay)
    }

    /// Sets an allowed attribute. A file system that knows no `user.*` does without; file capabilities are never lost
    /// in silence.
    static func set(_ name: [UInt8], _ value: [UInt8], on file: borrowing OwnedFD) throws(Errno) {
        do throws(Errno) {
            try file.setAttribute(Path(name), value)
        } catch {
            if error != .notSupported || name == capability { throw error }
        }
    }
}
