/// A value that is kept on disk across restarts of the daemon.
package protocol StateRecord: Codable, Sendable {
    /// Name of the directory that holds the records of this kind, for example `pods`.
    static var kind: String { get }
    /// Raised only when an older program must not read the record. A new optional field does not raise it: fields are
    /// added, and never renamed or given another meaning, so that a downgrade finds its records readable.
    static var version: UInt32 { get }
}

/// A record as it was found.
package struct Stored<Record: StateRecord>: Sendable {
    package let name: String
    package let record: Record
    /// The boot during which it was written (/proc/sys/kernel/random/boot_id); another one means that no process of it
    /// lives.
    package let bootID: String

    package init(name: String, record: Record, bootID: String) {
        self.name = name
        self.record = record
        self.bootID = bootID
    }
}

/// Something in a store that is no record in order.
package struct Finding: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The record was damaged; it is now at `movedTo`, with all that lay beside it (nil when reading only).
        case damaged(reason: String, movedTo: String?)
        /// The record was damaged, as a power loss may leave it; the one before it was whole and counts again.
        case previousUsed(reason: String)
        /// An object's directory without a record: a crash between making the two, or between removing them.
        case noRecord
        /// Something that is no object's directory; it was left alone.
        case stranger
    }

    package let store: String
    package let name: String
    package let kind: Kind

    package init(store: String, name: String, kind: Kind) {
        self.store = store
        self.name = name
        self.kind = kind
    }

    package var description: String {
        switch kind {
        case .damaged(let reason, let movedTo):
            "record \"\(store)/\(name)\" is damaged (\(reason))\(movedTo.map { ", moved to \"\($0)\"" } ?? "")"
        case .previousUsed(let reason):
            "record \"\(store)/\(name)\" is damaged (\(reason)); the one before it is used"
        case .noRecord: "\"\(store)/\(name)\" has no record"
        case .stranger: "\"\(store)/\(name)\" is not ours"
        }
    }
}

/// Everything that a store held.
package struct Listing<Record: StateRecord>: Sendable {
    /// Sorted by name.
    package var records: [Stored<Record>] = []
    package var findings: [Finding] = []

    package init() {}
}
