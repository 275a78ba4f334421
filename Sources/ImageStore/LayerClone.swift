import Linux

/// A second tree of a layer that shares its files by hard links and has directories of its own.
enum LayerClone {
    private static let depthMax = 400

    /// Fills the empty directory `target`.
    static func clone(_ source: SharedFD, into target: SharedFD) throws(ImageStoreError) {
        do throws(Errno) {
            try clone(source.fd, into: target.fd, depth: 0)
        } catch {
            throw ImageStoreError("clone layer into", "tmp", error)
        }
    }

    private static func clone(_ source: borrowing OwnedFD, into target: borrowing OwnedFD, depth: Int) throws(Errno) {
        guard depth < depthMax else { throw .tooManyLinks }
        try source.seek(to: 0)
        while true {
            let entries = try source.entriesPart()
            if entries.isEmpty { break }
            for entry in entries where !entry.isDot {
                let name = Path(entry.name)
                if try source.status(name).kind == .directory {
                    try target.makeDirectory(name, mode: 0o700)
                    let from = try source.open(name, [.readOnly, .directory, .noFollow])
                    let to = try target.open(name, [.readOnly, .directory, .noFollow])
                    try clone(from, into: to, depth: depth + 1)
                } else {
                    try target.makeLink(name, to: name, in: source)
                }
            }
        }
        let status = try source.status()
        try target.changeOwner(uid: status.uid, gid: status.gid)
        try target.changeMode(status.mode)
        for name in try source.attributeNames() {
            let path = Path(name)
            guard path == Overlay.opaqueAttribute || LayerAttribute.isAllowed(name),
                let value = try source.attribute(path)
            else { continue }
            try target.setAttribute(path, value)
        }
        try target.changeTimes(seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
    }
}
