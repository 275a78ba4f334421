import Linux

/// The root directory of the daemon's state on disk, with one writing process at a time.
///
///     lock                    held (flock(2)) as long as the daemon lives; its text is the daemon's pid
///     <kind>/<name>/record    a record; the object's other files lie beside it (an exit status, for example)
///     <kind>/<name>/record.previous
///                             the one before it
///     damaged/                where objects go whose record is damaged
package final class StateRoot: Sendable {
    package let path: String
    /// Of the running kernel.
    package let bootID: String
    let directory: OwnedFD
    /// Nil where other processes may write meanwhile.
    private let lock: OwnedFD?
    let isReadOnly: Bool

    /// Opens a root for writing: makes it (0700) with what is missing above it, and locks it.
    ///
    /// Throws `inUse` when another process holds the lock; it is released by the end of this one, however that comes.
    package init(path: String) throws(StateError) {
        bootID = try Self.currentBootID()
        self.path = path
        let opened = try Self.attempt("make state directory", path) { () throws(Errno) in try Self.makePath(path) }
        lock = try Self.locked(opened, root: path)
        directory = opened
        isReadOnly = false
    }

    /// Opens a root for a look at it while no daemon writes, and keeps one from starting meanwhile: it is locked, and nothing is
    /// made, moved or written. A root without a lock file was never a daemon's.
    ///
    /// Throws `inUse` when another process holds the lock.
    package init(holding path: String) throws(StateError) {
        bootID = try Self.currentBootID()
        self.path = path
        directory = try Self.attempt("open state directory", path) { () throws(Errno) in
            try OwnedFD.open(Path(path), [.readOnly, .directory])
        }
        let place = path + "/lock"
        let file: OwnedFD
        do throws(Errno) {
            file = try directory.open("lock", [.readOnly, .noFollow])
        } catch {
            guard error == .noEntry else { throw .system(operation: "open", path: place, errno: error) }
            lock = nil
            isReadOnly = true
            return
        }
        lock = try Self.held(file, place, root: path)
        isReadOnly = true
    }

    /// Opens a root for a look at it while a daemon may be writing: nothing is locked, made or moved.
    package init(readingOnly path: String) throws(StateError) {
        bootID = try Self.currentBootID()
        self.path = path
        directory = try Self.attempt("open state directory", path) { () throws(Errno) in
            try OwnedFD.open(Path(path), [.readOnly, .directory])
        }
        lock = nil
        isReadOnly = true
    }

    /// The records of one kind; its directory is made when it is missing.
    package func store<Record: StateRecord>(of type: Record.Type) throws(StateError) -> StateStore<Record> {
        try StateStore(root: self)
    }

    // MARK: - Opening

    private static func makePath(_ path: String) throws(Errno) -> OwnedFD {
        guard path.hasPrefix("/") else { throw .invalidArgument }
        var here = try OwnedFD.open("/", [.readOnly, .directory])
        for name in path.split(separator: "/") {
            let name = Path(String(name))
            do throws(Errno) {
                try here.makeDirectory(name, mode: 0o700)
            } catch {
                if error != .alreadyExists { throw error }
            }
            // Links are followed: the operator may have put the state on another disk.
            here = try here.open(name, [.readOnly, .directory])
        }
        return here
    }

    private static func locked(_ directory: borrowing OwnedFD, root: String) throws(StateError) -> OwnedFD {
        let place = root + "/lock"
        let file = try attempt("open", place) { () throws(Errno) in
            try directory.open("lock", [.readWrite, .create, .noFollow], mode: 0o600)
        }
        let lock = try held(file, place, root: root)
        try attempt("write", place) { () throws(Errno) in
            try lock.truncate(to: 0)
            try lock.writeAll(Array("\(CurrentProcess.pid)\n".utf8))
        }
        return lock
    }

    private static func held(
        _ file: consuming OwnedFD, _ place: String, root: String
    ) throws(StateError) -> OwnedFD {
        do throws(Errno) {
            try file.lock()
        } catch {
            guard error == .again else { throw .system(operation: "lock", path: place, errno: error) }
            let text = try attempt("read", place) { () throws(Errno) in try file.read(max: 16, at: 0) }
            throw .inUse(root: root, pid: Int32(String(decoding: text.prefix { $0 > 0x20 }, as: UTF8.self)))
        }
        return file
    }

    private static func currentBootID() throws(StateError) -> String {
        let file = "/proc/sys/kernel/random/boot_id"
        let bytes = try attempt("read", file) { () throws(Errno) in
            try OwnedFD.open(Path(file), .readOnly).readToEnd(max: 64)
        }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .damaged(file: file, reason: "not a boot id")
        }
        return text
    }

    static func attempt<Result: ~Copyable>(
        _ operation: String, _ path: String, _ body: () throws(Errno) -> Result
    ) throws(StateError) -> Result {
        do throws(Errno) { return try body() } catch { throw .system(operation: operation, path: path, errno: error) }
    }
}
