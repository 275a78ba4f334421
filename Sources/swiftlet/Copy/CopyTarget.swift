import CLICore
import Linux

/// Where `cp` puts something: a directory that is there, or a name in one.
struct CopyTarget: ~Copyable {
    /// The directory.
    private let directory: OwnedFD
    /// The name for what comes; nil keeps its own.
    private let name: String?
    private let path: CopyPath

    /// A path of this machine, which is its user's: links in it are followed.
    init(local path: CopyPath) throws(Failure) {
        try self.init(path) { text throws(Errno) in try OwnedFD.open(Path(text), .path) }
    }

    /// A path of a container, which stays in it.
    init(container: borrowing ContainerRoot, _ path: CopyPath) throws(Failure) {
        try self.init(path) { text throws(Errno) in try container.root.resolve(Path(absolute(text))) }
    }

    private init(_ path: CopyPath, open: (String) throws(Errno) -> OwnedFD) throws(Failure) {
        let isInside: Bool
        let found: OwnedFD
        do throws(Errno) {
            isInside = try Self.isDirectory(path, open)
            found = try Self.directory(try open(isInside ? path.path : path.parent))
        } catch {
            throw Failure("open \"\(path.path)\": \(error)")
        }
        directory = found
        name = isInside ? nil : path.name
        self.path = path
    }

    /// Whether the path is a directory that is there; it may be a file, or missing, if it has a name to make.
    private static func isDirectory(
        _ path: CopyPath, _ open: (String) throws(Errno) -> OwnedFD
    ) throws(Errno) -> Bool {
        let kind: FileStatus.Kind
        do throws(Errno) { kind = try open(path.path).status().kind } catch Errno.noEntry {
            guard path.name != nil, !path.meansContent else { throw .noEntry }
            return false
        }
        guard kind == .directory || !path.wantsDirectory && path.name != nil else { throw .notDirectory }
        return kind == .directory
    }

    /// Nothing is written to files of the kernel's: a link of the container's may lead there.
    private static func directory(_ fd: consuming OwnedFD) throws(Errno) -> OwnedFD {
        if try fd.isPseudo() { throw .notPermitted }
        guard try fd.status().kind == .directory else { throw .notDirectory }
        return fd
    }

    /// Copies a file or directory to here.
    func receive(
        _ source: borrowing OwnedFD, _ kind: FileStatus.Kind, _ from: CopyPath, by copy: TreeCopy
    ) throws(Failure) {
        guard kind == .directory || kind == .regular else {
            throw Failure("copy \"\(from.path)\": neither a file nor a directory")
        }
        if kind == .directory, try isPseudo(source, from) {
            throw Failure("copy \"\(from.path)\": it has no files but the kernel's own")
        }
        if kind != .directory, from.wantsDirectory { throw Failure("copy \"\(from.path)\": not a directory") }
        if kind != .directory, name != nil, path.wantsDirectory {
            throw Failure("open \"\(path.path)\": there is no such directory")
        }
        let isContent = from.meansContent || from.name == nil
        if kind == .directory, isContent, name == nil {
            return try copy.copyContent(source, into: directory, shown: from.path)
        }
        guard let target = name ?? from.name else { throw Failure("copy \"\(from.path)\": it has no name") }
        try copy.copy(source, to: Path(target), in: directory, shown: from.path)
    }

    private func isPseudo(_ source: borrowing OwnedFD, _ path: CopyPath) throws(Failure) -> Bool {
        do throws(Errno) { return try source.isPseudo() } catch {
            throw Failure("look at \"\(path.path)\": \(error)")
        }
    }

    /// Writes standard input into a file.
    func receiveInput(owner: (uid: UInt32, gid: UInt32)) throws(Failure) {
        guard let name else { throw Failure("write \"\(path.path)\" from standard input: it is a directory") }
        do throws(Errno) {
            let file = try TreeCopy.makeFile(Path(name), in: directory)
            while true {
                let bytes = try StandardStream.input.read(max: 1 << 18)
                if bytes.isEmpty { break }
                try file.writeAll(bytes)
            }
            try file.changeOwner(uid: owner.uid, gid: owner.gid)
            try file.changeMode(0o644)
            try file.close()
        } catch {
            throw Failure("write \"\(path.path)\": \(error)")
        }
    }
}
