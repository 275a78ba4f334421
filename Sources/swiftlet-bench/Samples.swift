import CLICore

/// What was measured of one thing: the values, in milliseconds unless the unit says else.
struct Samples: Equatable, Sendable {
    var name: String
    var unit = "ms"
    private(set) var values: [Double] = []

    init(_ name: String, unit: String = "ms", values: [Double] = []) {
        self.name = name
        self.unit = unit
        self.values = values
    }

    mutating func add(_ value: Double) { values.append(value) }

    /// The smallest value that at least this share of the values does not exceed; nil without values.
    func percentile(_ share: Double) -> Double? {
        guard !values.isEmpty else { return nil }
        let rank = Int((share * Double(values.count)).rounded(.up))
        return values.sorted()[min(max(rank, 1), values.count) - 1]
    }

    var median: Double? { percentile(0.5) }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("unit", .string(unit)), .init("count", .number(values.count)),
        ]
        for (key, share) in [("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)] {
            if let value = percentile(share) { members.append(.init(key, .number(value, places: 4))) }
        }
        return .object(members)
    }
}

/// Samples by name, in the order in which the names came up.
struct SampleBook: Equatable, Sendable {
    private(set) var all: [Samples] = []

    mutating func add(_ value: Double, to name: String, unit: String = "ms") {
        if let index = all.firstIndex(where: { $0.name == name }) {
            all[index].add(value)
        } else {
            all.append(Samples(name, unit: unit, values: [value]))
        }
    }

    subscript(name: String) -> Samples? { all.first { $0.name == name } }
}

extension Duration {
    /// The duration in milliseconds.
    var milliseconds: Double { self / .milliseconds(1) }
}
