import CLICore

/// What the daemon's program says that a start would do (`swiftletd --dry-run`).
struct RecoveryAnswer: Equatable, Sendable {
    struct Item: Equatable, Sendable {
        var kind: String
        var id: String
        var name: String
        var action: String
        var detail: String
    }

    var daemonRuns: Bool
    var daemonProcess: String?
    var items: [Item]
    /// As it came.
    let tree: JSONValue

    init(_ text: [UInt8]) throws(Failure) {
        do { tree = try JSONParser.parse(text) } catch {
            throw Failure("read what the daemon's program says: it is not JSON: \(error)")
        }
        guard case .array(let items)? = tree["items"] else {
            throw Failure("read what the daemon's program says: it has no \"items\" (is it of another version?)")
        }
        daemonRuns = tree["daemonRuns"] == .bool(true)
        daemonProcess = if case .number(let digits)? = tree["daemonProcess"] { digits } else { nil }
        self.items = items.map { item in
            func word(_ key: String) -> String { item[key]?.text ?? "" }
            return Item(
                kind: word("kind"), id: word("id"), name: word("name"), action: word("action"), detail: word("detail"))
        }
    }

    /// Whether something would not be there any more as it was known.
    var changesAnything: Bool { items.contains { !["keep", "exit", "reset"].contains($0.action) } }

    var table: String {
        guard !items.isEmpty else { return "" }
        var table = Table(["ACTION", "KIND", "ID", "NAME", "DETAIL"])
        for item in items {
            table.add([item.action, item.kind, String(item.id.prefix(13)), item.name, item.detail])
        }
        return table.text
    }

    /// How many of each action, in the order in which they came.
    var summary: String {
        guard !items.isEmpty else { return "nothing to recover" }
        var order: [String] = []
        var counts: [String: Int] = [:]
        for item in items {
            if counts[item.action] == nil { order.append(item.action) }
            counts[item.action, default: 0] += 1
        }
        return order.map { "\(counts[$0] ?? 0) \(printable($0))" }.joined(separator: ", ")
    }
}
