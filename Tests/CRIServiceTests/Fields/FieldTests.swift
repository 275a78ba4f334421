import Foundation
import GRPC
import Testing

/// Set means given or refused, and never the same behaviour as unset: for every field of every request.
@Suite struct FieldTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var method: String
        var row: FieldRow
        var testDescription: String { "\(method) \(row.path)" }
    }

    static let cases = OtherRows.compared.flatMap { method, rows in rows.map { Case(method: method, row: $0) } }

    /// What each method takes at least.
    private static let least: [String: JSON] = [
        "RunPodSandbox": Requests.pod,
        "CreateContainer": ["pod_sandbox_id": "$POD", "config": Requests.container],
        "UpdateContainerResources": ["container_id": "$CONTAINER", "linux": [:]],
        "Exec": ["container_id": "$CONTAINER", "cmd": ["/bin/true"], "stdout": true],
        "Attach": ["container_id": "$CONTAINER", "stdout": true], "PortForward": ["pod_sandbox_id": "$POD"],
        "UpdatePodSandboxResources": ["pod_sandbox_id": "$POD"], "PullImage": ["image": ["image": "busybox"]],
    ]

    @Test("every field of the proto file has a row, and every row a field")
    func rowsAndFieldsAgree() throws {
        let schema = try Schema.load()
        #expect(schema.requests.count == 43)
        for method in Requests.methods {
            let message = try #require(schema.requests[method])
            let paths = Set(schema.leaves(of: message).map(\.path))
            let compared = OtherRows.compared.filter { $0.method == method }.flatMap(\.rows)
            let selecting = OtherRows.selecting.filter { $0.method == method }.map {
                FieldRow(path: $0.path, promise: .informational([]), value: [:])
            }
            let rows = compared + selecting
            for path in paths {
                let covering = rows.filter { $0.covers(path) }.count
                #expect(covering == 1, "\(method): \(path) has \(covering) rows")
            }
            for row in rows { #expect(paths.contains(where: row.covers), "\(method): no field \(row.path)") }
        }
    }

    @Test("a field that is set is given, refused or shown, as its row says", arguments: cases)
    func rowHolds(_ item: Case) async throws {
        let row = item.row
        var request = try #require(Self.least[item.method])
        for (path, value) in row.context { request[path] = value }
        switch row.promise {
        case .refused(let code):
            for (path, value) in try values(item) {
                let refusal = try await Observation.of(item.method, request.with(path, value))
                guard case .refused(let actual, let message) = refusal else {
                    Issue.record("\(path) is taken")
                    continue
                }
                #expect(names(message, path), "\(path): \"\(message)\" does not name it")
                // Fields of Windows are the wrong platform, not a feature to come.
                #expect(actual == (path.contains("windows") ? .invalidArgument : code), "\(path): \(message)")
            }
        case .enforced(let channels):
            let changed = try await difference(item.method, request, row)
            for channel in channels {
                #expect(
                    changed.contains(channel),
                    "no difference in \(channel.rawValue), only in \(changed.map(\.rawValue))")
            }
            #expect(!channels.isEmpty)
        case .informational(let channels) where row.path.hasSuffix("*"):
            for (path, value) in try values(item) {
                let changed = try await difference(
                    item.method, request, FieldRow(path: path, promise: row.promise, value: value, context: row.context)
                )
                #expect(Set(changed) == Set(channels), "\(path)")
            }
        case .informational(let channels):
            let changed = try await difference(item.method, request, row)
            #expect(Set(changed) == Set(channels), "differences: \(changed.map(\.rawValue))")
        }
    }

    /// Channels on which the request with the row's value differs from the one without.
    private func difference(_ method: String, _ request: JSON, _ row: FieldRow) async throws -> [Channel] {
        let without = try await Observation.of(method, request.with(row.path, row.other))
        let with = try await Observation.of(method, request.with(row.path, row.value))
        guard case .happened(let before) = without, case .happened(let after) = with else {
            for case .refused(let code, let message) in [with, without] { Issue.record("refused: \(code) \(message)") }
            return []
        }
        return Channel.allCases.filter { before[$0] != after[$0] }
    }

    /// What is tried: the row's value, or for a row of many fields a sample of each.
    private func values(_ item: Case) throws -> [(path: String, value: JSON)] {
        guard item.row.path.hasSuffix("*") else { return [(item.row.path, item.row.value)] }
        let schema = try Schema.load()
        return schema.leaves(of: try #require(schema.requests[item.method])).filter { item.row.covers($0.path) }.map {
            path, field in
            switch field.shape {
            case .single: (path, schema.sample(field.type))
            case .repeated: (path, [schema.sample(field.type)])
            case .map: (path, ["k": schema.sample(field.type)])
            }
        }
    }

    /// A refusal names the field, or the message that it is in.
    private func names(_ message: String, _ path: String) -> Bool {
        let parts = path.replacingOccurrences(of: "[]", with: "").split(separator: ".")
        return parts.contains {
            !["config", "sandbox_config", "linux", "security_context"].contains($0) && message.contains($0)
        }
    }

    @Test(
        "the table of fields is written for the documentation",
        .enabled(if: ProcessInfo.processInfo.environment["SWIFTLET_FIELDS_OUT"] != nil))
    func writeTable() throws {
        let path = try #require(ProcessInfo.processInfo.environment["SWIFTLET_FIELDS_OUT"])
        try FieldTable.text(try Schema.load()).write(toFile: path, atomically: true, encoding: .utf8)
    }
}

/// The rows as a table in Markdown.
enum FieldTable {
    static func text(_ schema: Schema) -> String {
        var lines = ["| request | field | class | where it shows |", "|---|---|---|---|"]
        for method in Requests.methods {
            let request = schema.requests[method] ?? method
            for row in OtherRows.compared.filter({ $0.method == method }).flatMap(\.rows) {
                lines.append("| \(request) | `\(row.path)` | \(text(row)) |")
            }
            for row in OtherRows.selecting where row.method == method {
                let parts = row.where.split(separator: ":", maxSplits: 1)
                lines.append("| \(request) | `\(row.path)` | \(parts[0]) |\(parts[1]) |")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ row: FieldRow) -> String {
        func places(_ channels: [Channel]) -> String { channels.map(\.rawValue).joined(separator: ", ") }
        let (name, place): (String, String) =
            switch row.promise {
            case .enforced(let channels): ("enforced", places(channels))
            case .refused(let code): ("refused", row.path.contains("windows") ? "invalidArgument" : "\(code)")
            case .informational(let channels): ("informational", places(channels))
            }
        return "\(name) | " + [place, row.note].filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
