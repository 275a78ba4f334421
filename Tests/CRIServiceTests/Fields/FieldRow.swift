import GRPC

/// What is promised for one field of a request: what a caller sets is given, or refused, or said to be for information.
struct FieldRow: Sendable, CustomStringConvertible {
    enum Class: Sendable, Equatable {
        /// Setting it changes what happens: a difference on each of these channels.
        case enforced([Channel])
        /// Setting it fails the call.
        case refused(GRPCStatus.Code)
        /// Setting it changes nothing but what these channels show, none included.
        case informational([Channel])
    }

    /// From the request's message; ends with "*" for a whole message whose fields are all alike.
    var path: String
    var promise: Class
    /// The value that is tried; of rows with "*" the schema's sample.
    var value: JSON
    /// What it is compared with; nil = the field is not there.
    var other: JSON?
    /// What has to be set with it, in both requests that are compared.
    var context: [(path: String, value: JSON)] = []
    /// For readers.
    var note = ""

    var description: String { path }

    static func enforced(
        _ path: String, _ value: JSON, _ channels: Channel..., other: JSON? = nil, with context: [(String, JSON)] = [],
        note: String = ""
    ) -> FieldRow {
        FieldRow(
            path: path, promise: .enforced(channels), value: value, other: other,
            context: context.map { (path: $0.0, value: $0.1) }, note: note)
    }

    static func refused(
        _ path: String, _ value: JSON = [:], _ code: GRPCStatus.Code = .unimplemented,
        with context: [(String, JSON)] = [],
        note: String = ""
    ) -> FieldRow {
        FieldRow(
            path: path, promise: .refused(code), value: value, context: context.map { (path: $0.0, value: $0.1) },
            note: note)
    }

    static func informational(
        _ path: String, _ value: JSON, _ channels: Channel..., other: JSON? = nil, with context: [(String, JSON)] = [],
        note: String
    ) -> FieldRow {
        FieldRow(
            path: path, promise: .informational(channels), value: value, other: other,
            context: context.map { (path: $0.0, value: $0.1) }, note: note)
    }

    func covers(_ leaf: String) -> Bool {
        path.hasSuffix("*") ? leaf.hasPrefix(path.dropLast()) : leaf == path
    }

    /// One of the limits: in a container's own they are kept, elsewhere they are shown.
    static func resources(_ prefix: String, _ make: (_ path: String, _ value: JSON, _ channel: Channel) -> FieldRow)
        -> [FieldRow]
    {
        let values: [(String, JSON, Channel)] = [
            ("cpu_period", 50_000, .limits), ("cpu_quota", 20_000, .limits), ("cpu_shares", 512, .limits),
            ("memory_limit_in_bytes", 67_108_864, .limits), ("memory_swap_limit_in_bytes", 134_217_728, .limits),
            ("cpuset_cpus", "0-1", .limits), ("cpuset_mems", "0", .limits),
            ("unified", ["memory.high": "1048576"], .limits),
            ("oom_score_adj", 100, .oomScore),
        ]
        return values.map { make(prefix + "." + $0.0, $0.1, $0.2) }
    }
}
