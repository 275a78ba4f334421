import CLICore
import Linux

/// Copies files and directories by descriptors, one name at a time: whatever either side makes of its tree meanwhile, nothing
/// outside of the two is read or written (CVE-2018-1002100, CVE-2019-1002101, CVE-2019-11246).
struct TreeCopy {
    /// Whose the copies are; nil leaves them to who copies.
    var owner: (uid: UInt32, gid: UInt32)?
    /// Whether links may point anywhere: those of a container may not.
    var trustsLinks = false
    /// Told of what was left out.
    var note: (String) -> Void

    private static let depthMax = 200
    private static let portion = 1 << 18
    /// Files that do not know their size, such as those of procfs, are read up to here.
    private static let unsizedBytesMax: UInt64 = 64 << 20

    init(owner: (uid: UInt32, gid: UInt32)? = nil, trustsLinks: Bool = false, note: @escaping (String) -> Void) {
        self.owner = owner
        self.trustsLinks = trustsLinks
        self.note = note
    }

    /// Copies what a handle (O_PATH) stands for to a name in a directory; `shown` is how errors call it.
    func copy(
        _ source: borrowing OwnedFD, to name: Path, in target: borrowing OwnedFD, shown: String, depth: Int = 0
    ) throws(Failure) {
        let status = try attempt("look at", shown) { () throws(Errno) in try source.status() }
        switch status.kind {
        case .directory:
            let made = try attempt("make directory", shown) { () throws(Errno) in
                try Self.makeDirectory(name, in: target)
            }
            try copyContent(source, into: made, shown: shown, depth: depth)
            try attempt("set the mode of", shown) { () throws(Errno) in try finish(made, as: status) }
        case .regular: try copyFile(source, status, to: name, in: target, shown: shown)
        case .symlink: try copyLink(source, to: name, in: target, shown: shown, depth: depth)
        case .fifo, .socket, .characterDevice, .blockDevice, .other:
            note("skip \"\(printable(shown))\": neither a file nor a directory")
        }
    }

    /// Copies all that is in a directory into another one.
    func copyContent(
        _ source: borrowing OwnedFD, into target: borrowing OwnedFD, shown: String, depth: Int = 0
    ) throws(Failure) {
        guard depth < Self.depthMax else {
            throw Failure("copy \"\(shown)\": it is deeper than \(Self.depthMax) directories")
        }
        guard try attempt("look at", shown, { () throws(Errno) in try !source.isPseudo() }) else {
            return note("skip \"\(printable(shown))\": it has no files but the kernel's own")
        }
        let directory = try attempt("read", shown) { () throws(Errno) in
            try source.open(".", [.readOnly, .directory])
        }
        while true {
            let entries = try attempt("read", shown) { () throws(Errno) in try directory.entriesPart() }
            if entries.isEmpty { return }
            for entry in entries where !entry.isDot {
                let name = Path(entry.name)
                let path = (shown == "/" ? "" : shown) + "/" + name.description
                let file: OwnedFD
                do throws(Errno) {
                    file = try directory.open(name, [.path, .noFollow])
                } catch Errno.noEntry {
                    // It went while we were reading.
                    continue
                } catch {
                    throw Failure("open \"\(path)\": \(error)")
                }
                try copy(file, to: name, in: target, shown: path, depth: depth + 1)
            }
        }
    }

    // MARK: - Kinds

    private func copyFile(
        _ source: borrowing OwnedFD, _ status: FileStatus, to name: Path, in target: borrowing OwnedFD, shown: String
    ) throws(Failure) {
        // Through the handle whose kind was seen: a name could be a device by now.
        let from = try attempt("read", shown) { () throws(Errno) in try source.reopen([.readOnly, .nonBlocking]) }
        let to = try attempt("write", shown) { () throws(Errno) in try Self.makeFile(name, in: target) }
        // A file that grows as fast as it is copied has an end nevertheless.
        var left = status.size > 0 ? status.size : Self.unsizedBytesMax
        while left > 0 {
            let bytes = try attempt("read", shown) { () throws(Errno) in
                try from.read(max: Int(min(left, UInt64(Self.portion))))
            }
            if bytes.isEmpty { break }
            left -= UInt64(bytes.count)
            try attempt("write", shown) { () throws(Errno) in try to.writeAll(bytes) }
        }
        try attempt("set the mode of", shown) { () throws(Errno) in try finish(to, as: status) }
        do throws(Errno) { try to.close() } catch { throw Failure("write \"\(shown)\": \(error)") }
    }

    private func copyLink(
        _ source: borrowing OwnedFD, to name: Path, in target: borrowing OwnedFD, shown: String, depth: Int
    ) throws(Failure) {
        let text = try attempt("read", shown) { () throws(Errno) in try source.readSymlink("") }
        guard trustsLinks || Self.staysInside(text, depth: depth) else {
            return note("skip \"\(printable(shown))\": a link that leads out of what is copied")
        }
        try attempt("write", shown) { () throws(Errno) in
            try Self.replacing(name, in: target) { () throws(Errno) in
                try target.makeSymlink(name, text: Path(text))
            }
            if let owner { try target.changeOwner(name, uid: owner.uid, gid: owner.gid) }
        }
    }

    /// Whether a link, `depth` directories below the top, cannot lead above it. Dots that go up count only at the beginning: behind
    /// another link they would start from where that leads.
    static func staysInside(_ text: [UInt8], depth: Int) -> Bool {
        guard text.first != UInt8(ascii: "/") else { return false }
        let components = text.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
        let ups = components.prefix { $0.elementsEqual("..".utf8) }.count
        return ups < max(depth, 1) && !components.dropFirst(ups).contains { $0.elementsEqual("..".utf8) }
    }

    // MARK: - Targets

    private static func makeDirectory(_ name: Path, in target: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        do throws(Errno) { try target.makeDirectory(name, mode: 0o700) } catch Errno.alreadyExists {}
        return try target.open(name, [.readOnly, .directory, .noFollow])
    }

    /// A new file in the place of whatever has the name, which is never opened: it could be a link or a device.
    static func makeFile(_ name: Path, in target: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        do throws(Errno) {
            return try replacing(name, in: target) { () throws(Errno) in
                try target.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            }
        } catch Errno.busy {
            // Something is mounted there, such as /etc/hosts of a container: it can only be written in place.
            let mounted = try target.open(name, [.path, .noFollow])
            guard try mounted.status().kind == .regular else { throw .busy }
            return try mounted.reopen([.writeOnly, .truncate])
        }
    }

    private static func replacing<Made: ~Copyable>(
        _ name: Path, in target: borrowing OwnedFD, _ make: () throws(Errno) -> Made
    ) throws(Errno) -> Made {
        do throws(Errno) { return try make() } catch Errno.alreadyExists {
            try target.unlink(name)
            return try make()
        }
    }

    /// Owner, permission bits and time; no bit that gives rights to who runs a file.
    private func finish(_ made: borrowing OwnedFD, as status: FileStatus) throws(Errno) {
        if let owner { try made.changeOwner(uid: owner.uid, gid: owner.gid) }
        try made.changeMode(status.mode & 0o777)
        try made.changeTimes(seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds)
    }

    private func attempt<T: ~Copyable>(
        _ operation: String, _ shown: String, _ body: () throws(Errno) -> T
    ) throws(Failure) -> T {
        do throws(Errno) { return try body() } catch { throw Failure("\(operation) \"\(shown)\": \(error)") }
    }
}

extension OwnedFD {
    /// Whether this lies on a file system whose files are the kernel's: nothing there is to be copied, let alone written.
    func isPseudo() throws(Errno) -> Bool {
        // linux/magic.h: proc, sysfs, cgroup2, cgroup.
        let magics: [UInt64] = [0x9fa0, 0x6265_6572, 0x6367_7270, 0x0027_e0eb]
        return magics.contains(try filesystemMagic().rawValue)
    }
}
