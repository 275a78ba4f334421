package import Linux

/// What a copy out of an image may take.
package struct CopyLimits: Sendable, Equatable {
    package var entriesMax = 200_000
    package var bytesMax: Int64 = 4 << 30

    package init() {}
}

extension ImageView {
    /// Fills an empty directory with what a directory of the image has: the first content of a VOLUME.
    ///
    /// Owner, mode, times and allowed attributes are kept, the directory's own too; symbolic links are copied as links;
    /// devices and sockets are left out. Both sides are walked by descriptors and one name at a time, so that nothing
    /// in the image can lead the copy elsewhere (CVE-2022-23648). A path that leads to no directory copies nothing.
    ///
    /// - Returns: whether there was something to copy.
    @discardableResult
    package func copyTree(
        _ path: String, into target: borrowing OwnedFD, limits: CopyLimits = CopyLimits()
    ) throws(ImageStoreError) -> Bool {
        guard let source = try openDirectory(path) else { return false }
        var copy = TreeCopy(limits: limits, path: path)
        try copy.copy(source.fd, into: target, depth: 0)
        return true
    }
}

private struct TreeCopy {
    let limits: CopyLimits
    let path: String
    private var entries = 0
    private var bytes: Int64 = 0

    private static let depthMax = 200
    private static let portion = 256 * 1024

    init(limits: CopyLimits, path: String) {
        self.limits = limits
        self.path = path
    }

    mutating func copy(
        _ source: borrowing OwnedFD, into target: borrowing OwnedFD, depth: Int
    ) throws(ImageStoreError) {
        guard depth < Self.depthMax else {
            throw .limitExceeded("copy \"\(path)\": it is deeper than \(Self.depthMax) directories")
        }
        while true {
            let part = try attempt { () throws(Errno) in try source.entriesPart() }
            if part.isEmpty { break }
            for entry in part where !entry.isDot { try copy(Path(entry.name), of: source, into: target, depth: depth) }
        }
        try attempt { () throws(Errno) in try Self.copyMetadata(of: source, to: target) }
    }

    private mutating func copy(
        _ name: Path, of source: borrowing OwnedFD, into target: borrowing OwnedFD, depth: Int
    ) throws(ImageStoreError) {
        entries += 1
        guard entries <= limits.entriesMax else {
            throw .limitExceeded("copy \"\(path)\": it has more than \(limits.entriesMax) files")
        }
        let status = try attempt { () throws(Errno) in try source.status(name) }
        switch status.kind {
        case .directory:
            // In this order: the target can be nothing but the directory that was made here.
            let from = try attempt { () throws(Errno) in try source.open(name, [.readOnly, .directory, .noFollow]) }
            try attempt { () throws(Errno) in try target.makeDirectory(name, mode: 0o700) }
            let to = try attempt { () throws(Errno) in try target.open(name, [.readOnly, .directory, .noFollow]) }
            try copy(from, into: to, depth: depth + 1)
        case .regular:
            try copyFile(name, of: source, into: target)
        case .symlink:
            try attempt { () throws(Errno) in
                try target.makeSymlink(name, text: Path(try source.readSymlink(name)))
                try target.changeOwner(name, uid: status.uid, gid: status.gid)
                try target.changeTimes(name, seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
            }
        case .fifo:
            try attempt { () throws(Errno) in
                try target.makeNode(name, kind: .fifo, mode: 0)
                try target.changeOwner(name, uid: status.uid, gid: status.gid)
                try target.changeMode(name, status.mode)
            }
        case .characterDevice, .blockDevice, .socket, .other: break
        }
    }

    private mutating func copyFile(
        _ name: Path, of source: borrowing OwnedFD, into target: borrowing OwnedFD
    ) throws(ImageStoreError) {
        let from = try attempt { () throws(Errno) in try source.open(name, [.readOnly, .noFollow, .nonBlocking]) }
        let to = try attempt { () throws(Errno) in
            try target.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        }
        while true {
            let portion = try attempt { () throws(Errno) in try from.read(max: Self.portion) }
            if portion.isEmpty { break }
            bytes += Int64(portion.count)
            guard bytes <= limits.bytesMax else {
                throw .limitExceeded("copy \"\(path)\": it has more than \(limits.bytesMax) bytes")
            }
            try attempt { () throws(Errno) in try to.writeAll(portion) }
        }
        try attempt { () throws(Errno) in try Self.copyMetadata(of: from, to: to) }
    }

    private static func copyMetadata(of source: borrowing OwnedFD, to target: borrowing OwnedFD) throws(Errno) {
        let status = try source.status()
        try target.changeOwner(uid: status.uid, gid: status.gid)
        try target.changeMode(status.mode)
        for name in try source.attributeNames() where LayerAttribute.isAllowed(name) {
            guard let value = try source.attribute(Path(name)) else { continue }
            try LayerAttribute.set(name, value, on: target)
        }
        try target.changeTimes(seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
    }

    private func attempt<T: ~Copyable>(_ body: () throws(Errno) -> T) throws(ImageStoreError) -> T {
        do throws(Errno) { return try body() } catch { throw ImageStoreError("copy from image", path, error) }
    }
}
