import CLICore
import SwiftProtobuf

/// What the inspect commands print as JSON and YAML: the status, then the members of the verbose map beside it, as crictl.
enum InspectTree {
    static func tree(_ status: some SwiftProtobuf.Message, _ info: [String: String]) throws -> JSONValue {
        .object([.init("status", withReadableTimes(try JSONValue(message: status)))] + VerboseInfo.members(info))
    }

    /// One result stands for itself, several are a list.
    static func list(_ results: [JSONValue]) -> JSONValue {
        if let only = results.first, results.count == 1 { return only }
        return .array(results)
    }

    /// What Go's zero time is in JSON: crictl writes it for a time that has not come yet, and programs parse it.
    private static let never = "0001-01-01T00:00:00Z"

    /// Times in nanoseconds become RFC 3339.
    private static func withReadableTimes(_ status: JSONValue) -> JSONValue {
        guard case .object(let members) = status else { return status }
        return .object(
            members.map { member in
                guard ["createdAt", "startedAt", "finishedAt"].contains(member.name), let text = member.value.text,
                    let time = UnixNanoseconds(text)
                else { return member }
                return .init(member.name, .string(time == 0 ? never : rfc3339(time)))
            })
    }
}
