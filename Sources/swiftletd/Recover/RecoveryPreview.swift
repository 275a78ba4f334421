import Foundation

/// What the next start of the daemon would do with what is on the node, for `swiftlet recover --dry-run`.
struct RecoveryPreview: Equatable, Encodable, Sendable {
    /// What becomes of something.
    enum Action: String, Equatable, Encodable, Sendable {
        /// It stays as it is.
        case keep
        /// It has ended, and its end is known, which its record does not say yet.
        case exit
        /// Its start never reached the supervisor: it is as if it had not been asked for.
        case reset
        /// It is gone, and nobody knows how it ended.
        case lost
        /// It was half made: what there is of it is removed.
        case undo
        /// Nothing knows of it: it is removed.
        case remove
        /// Its record is damaged: it is moved to `damaged`.
        case setAside = "set-aside"
    }

    struct Item: Equatable, Encodable, Sendable {
        /// "pod", "container", "layer", "plugin" or "record".
        var kind: String
        var id: String
        /// As the metadata say; empty where nothing is known of it.
        var name: String
        var action: Action
        /// Why, and what belongs to it.
        var detail: String
    }

    /// Whether a daemon runs: then it has done all of this, and only records were looked at.
    var daemonRuns = false
    /// Its process, where it says.
    var daemonProcess: Int32?
    var root: String
    var state: String
    var items: [Item] = []
}

extension RecoveryLook {
    /// What a start would do, for `swiftlet recover --dry-run`.
    func json() async throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(try await preview()), as: UTF8.self)
    }
}
