import FoundationEssentials
package import Linux

/// The records of one kind, each in a directory of its own.
///
/// A record is replaced in one step, so that a reader or a crash sees the old one or the new one. Nothing waits for the
/// disk unless `durable` is asked for: a crash of the daemon loses nothing, and a power loss takes the processes that
/// the records describe with it; it may leave a record cut, and then the one before it counts. The caller writes one record from one place at a time.
package struct StateStore<Record: StateRecord>: Sendable {
    private let root: StateRoot
    private let kind: KindDirectory

    /// The directory of all records of the kind, held open.
    private final class KindDirectory: Sendable {
        let fd: OwnedFD
        init(_ fd: consuming OwnedFD) { self.fd = fd }
    }

    private static var fileName: Path { "record" }
    /// The record before, or one that a crash has left half written.
    private static var previousName: Path { "record.previous" }

    init(root: StateRoot) throws(StateError) {
        guard Self.isName(Record.kind) else { throw .badName(Record.kind) }
        self.root = root
        kind = KindDirectory(
            try StateRoot.attempt("open state directory", "\(root.path)/\(Record.kind)") { () throws(Errno) in
                let name = Path(Record.kind)
                if !root.isReadOnly { try root.directory.makeDirectoryIfMissing(name) }
                return try root.directory.open(name, [.readOnly, .directory, .noFollow])
            })
    }

    // MARK: - One record

    /// Writes or replaces a record.
    /// - Parameter durable: whether it survives a power loss once the call returns (fsync of file and directories).
    package func write(_ name: String, _ record: Record, durable: Bool = false) throws(StateError) {
        try checkWritable(name)
        let bytes = RecordFile(version: Record.version, bootID: root.bootID, payload: try Self.encode(record, name))
            .bytes
        guard bytes.count <= RecordFile.sizeMax else {
            throw .notEncodable(name: name, reason: "\(bytes.count) bytes are more than \(RecordFile.sizeMax)")
        }
        try StateRoot.attempt("write", place(name)) { () throws(Errno) in
            let isNew = try kind.fd.makeDirectoryIfMissing(Path(name))
            let object = try kind.fd.open(Path(name), [.readOnly, .directory, .noFollow])
            if durable {
                try object.replaceFile(Self.fileName, bytes, durable: true)
                if isNew { try kind.fd.synchronize() }
            } else {
                try object.replaceFile(Self.fileName, keeping: Self.previousName, bytes)
            }
        }
    }

    /// A record; nil when there is none, `damaged` when it is not what was written.
    package func read(_ name: String) throws(StateError) -> Stored<Record>? {
        guard Self.isName(name) else { throw .badName(name) }
        return try read(name, Self.fileName)
    }

    private func read(_ name: String, _ file: Path) throws(StateError) -> Stored<Record>? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try kind.fd.open(Path(name), [.readOnly, .directory, .noFollow]).readFile(
                file, max: RecordFile.sizeMax)
        } catch {
            if error == .noEntry { return nil }
            // What stands there is no regular file, or the disk cannot read it.
            let isDamage = [.invalidArgument, .tooManyLinks, .fileTooLarge, .inputOutput, .notDirectory].contains(error)
            if isDamage { throw .damaged(file: place(name), reason: "\(error)") }
            throw .system(operation: "read", path: place(name), errno: error)
        }
        return try decode(bytes, name)
    }

    /// Removes a record, and with it the object's directory and what else lies in it. Success when there is none.
    package func remove(_ name: String) throws(StateError) {
        try checkWritable(name)
        try StateRoot.attempt("remove", place(name)) { () throws(Errno) in
            do throws(Errno) {
                // The record goes first: what a crash leaves then is an object without a record, which nobody takes for
                // a live one.
                try kind.fd.open(Path(name), [.readOnly, .directory, .noFollow]).unlink(Self.fileName)
            } catch {
                let isFine = [.noEntry, .notDirectory, .isDirectory, .tooManyLinks].contains(error)
                if !isFine { throw error }
            }
            try kind.fd.removeTree(Path(name))
        }
    }

    /// The object's directory, for its other files: it is made when it is missing.
    package func openDirectory(_ name: String) throws(StateError) -> OwnedFD {
        guard Self.isName(name) else { throw .badName(name) }
        return try StateRoot.attempt("open", place(name)) { () throws(Errno) in
            if !root.isReadOnly { try kind.fd.makeDirectoryIfMissing(Path(name)) }
            return try kind.fd.open(Path(name), [.readOnly, .directory, .noFollow])
        }
    }

    // MARK: - All records

    /// Every record, and what else was found. In place of a damaged record the one before it is taken; objects without that
    /// are moved aside (not when reading only), so that the
    /// daemon starts; a record of a newer version is an error, since a daemon that ignored it would take a living pod
    /// for none.
    package func list() throws(StateError) -> Listing<Record> {
        let entries = try StateRoot.attempt("list", "\(root.path)/\(Record.kind)") { () throws(Errno) in
            try kind.fd.entries(max: 1 << 20)
        }
        var listing = Listing<Record>()
        for entry in entries.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            let name = String(decoding: entry.name, as: UTF8.self)
            guard Self.isName(name), entry.kind == .directory else {
                listing.findings.append(Finding(store: Record.kind, name: name, kind: .stranger))
                continue
            }
            do throws(StateError) {
                if let stored = try read(name) {
                    listing.records.append(stored)
                } else {
                    listing.findings.append(Finding(store: Record.kind, name: name, kind: .noRecord))
                }
            } catch {
                guard case .damaged(_, let reason) = error else { throw error }
                if let previous = try takePrevious(name) {
                    listing.records.append(previous)
                    listing.findings.append(
                        Finding(store: Record.kind, name: name, kind: .previousUsed(reason: reason)))
                    continue
                }
                let movedTo = root.isReadOnly ? nil : try moveAside(name)
                listing.findings.append(
                    Finding(store: Record.kind, name: name, kind: .damaged(reason: reason, movedTo: movedTo)))
            }
        }
        return listing
    }

    /// The record before a damaged one, which takes its place; the damaged bytes take the other's.
    private func takePrevious(_ name: String) throws(StateError) -> Stored<Record>? {
        let previous: Stored<Record>
        do throws(StateError) {
            guard let found = try read(name, Self.previousName) else { return nil }
            previous = found
        } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
        if !root.isReadOnly {
            try StateRoot.attempt("restore", place(name)) { () throws(Errno) in
                try kind.fd.open(Path(name), [.readOnly, .directory, .noFollow])
                    .exchange(Self.previousName, with: Self.fileName)
            }
        }
        return previous
    }

    private func moveAside(_ name: String) throws(StateError) -> String {
        try StateRoot.attempt("move aside", place(name)) { () throws(Errno) in
            try root.directory.makeDirectoryIfMissing("damaged")
            let damaged = try root.directory.open("damaged", [.readOnly, .directory, .noFollow])
            var number = 0
            while true {
                let target = "\(Record.kind)-\(name)" + (number == 0 ? "" : ".\(number)")
                do throws(Errno) {
                    try kind.fd.rename(Path(name), to: Path(target), in: damaged, replacing: false)
                    return "\(root.path)/damaged/\(target)"
                } catch {
                    // An object of the same name was damaged before.
                    number += 1
                    if error != .alreadyExists || number > 1000 { throw error }
                }
            }
        }
    }

    // MARK: - Encoding

    private static func encode(_ record: Record, _ name: String) throws(StateError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return Array(try encoder.encode(record)) } catch { throw .notEncodable(name: name, reason: "\(error)") }
    }

    private func decode(_ bytes: [UInt8], _ name: String) throws(StateError) -> Stored<Record> {
        let file: RecordFile
        do throws(RecordDamage) {
            file = try RecordFile(parsing: bytes)
        } catch {
            throw .damaged(file: place(name), reason: error.reason)
        }
        guard file.version <= Record.version else {
            throw .newerVersion(file: place(name), version: file.version, known: Record.version)
        }
        do {
            let record = try JSONDecoder().decode(Record.self, from: Data(file.payload))
            return Stored(name: name, record: record, bootID: file.bootID)
        } catch {
            throw .damaged(file: place(name), reason: "not a record of this kind: \(error)")
        }
    }

    // MARK: - Names

    private func place(_ name: String) -> String { "\(root.path)/\(Record.kind)/\(name)" }

    private func checkWritable(_ name: String) throws(StateError) {
        if root.isReadOnly { throw .readOnly(root: root.path) }
        guard Self.isName(name) else { throw .badName(name) }
    }

    /// A letter or digit, then letters, digits, "-", "_" and ".".
    private static func isName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.enumerated().allSatisfy { index, byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                case 0x2d, 0x2e, 0x5f: index > 0
                default: false
                }
            }
    }
}

extension OwnedFD {
    /// Whether it was missing.
    @discardableResult
    fileprivate func makeDirectoryIfMissing(_ name: Path) throws(Errno) -> Bool {
        do throws(Errno) {
            try makeDirectory(name, mode: 0o700)
            return true
        } catch {
            if error != .alreadyExists { throw error }
            return false
        }
    }
}
