import CLICore

/// What was measured, as a table and as JSON.
struct Report: Sendable {
    struct Side: Sendable {
        var name: String
        var endpoint: String
        var samples: SampleBook
    }

    var machine: Machine
    var loadBefore: Double
    var loadAfter: Double
    var subject: Side
    var peer: Side?
    var floor: SampleBook
    var baseline: Baseline?

    // MARK: - JSON

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("machine", .object(machine.json)),
            .init("loadBefore", .number(loadBefore, places: 2)), .init("loadAfter", .number(loadAfter, places: 2)),
            .init("subject", side(subject)),
        ]
        if let peer { members.append(.init("peer", side(peer))) }
        if !floor.all.isEmpty { members.append(.init("floor", .array(floor.all.map(\.json)))) }
        if !floorRatios.isEmpty {
            members.append(.init("toFloor", .object(floorRatios.map { .init($0.name, .number($0.ratio, places: 3)) })))
        }
        return .object(members)
    }

    private func side(_ side: Side) -> JSONValue {
        .object([
            .init("name", .string(side.name)), .init("endpoint", .string(side.endpoint)),
            .init("results", .array(side.samples.all.map(\.json))),
        ])
    }

    // MARK: - Table

    var text: String {
        var header = "\(subject.name) at \(subject.endpoint)\n"
        if let peer { header += "beside \(peer.name) at \(peer.endpoint)\n" }
        header += "Linux \(machine.kernel), \(machine.processor), \(machine.cores) cores, \(machine.time)"
        header += ", load \(decimal(loadBefore, places: 2)) before and \(decimal(loadAfter, places: 2)) after\n\n"
        var table = Table(
            ["MEASURE", "UNIT", "N", "P50", "P99"] + (peer == nil ? [] : ["PEER P50", "PEER P99", "PEER/OURS"])
                + (baseline == nil ? [] : ["BASELINE P50", "BASELINE/OURS"]))
        for samples in subject.samples.all { table.add(row(samples)) }
        for samples in floor.all { table.add([samples.name, samples.unit] + figures(samples)) }
        var text = header + table.text
        for (name, ratio) in floorRatios { text += "\n\(name): \(decimal(ratio, places: 2))" }
        return text + (floorRatios.isEmpty ? "" : "\n")
    }

    private func row(_ samples: Samples) -> [String] {
        var row = [samples.name, samples.unit] + figures(samples)
        if let peer {
            let other = peer.samples[samples.name]
            row += [figure(other?.median), figure(other?.percentile(0.99)), ratio(other?.median, samples.median)]
        }
        if let baseline {
            let other = baseline.medians[samples.name]
            row += [figure(other), ratio(other, samples.median)]
        }
        return row
    }

    private func figures(_ samples: Samples) -> [String] {
        [String(samples.values.count), figure(samples.median), figure(samples.percentile(0.99))]
    }

    private func figure(_ value: Double?) -> String {
        guard let value else { return "-" }
        return decimal(value, places: value < 10 ? 3 : value < 100 ? 2 : value < 1000 ? 1 : 0)
    }

    private func ratio(_ other: Double?, _ own: Double?) -> String {
        guard let other, let own, own > 0 else { return "-" }
        return decimal(other / own, places: 2)
    }

    private var floorRatios: [(name: String, ratio: Double)] {
        [
            ("StartContainer", Floor.start), ("StartContainer", Floor.mounts), ("ExecSync", Floor.exec),
            (Bench.probesName, Floor.paced),
        ].compactMap { name, bottom in
            guard let own = subject.samples[name]?.median, let least = floor[bottom]?.median, least > 0 else {
                return nil
            }
            return ("\(name) / \(bottom)", own / least)
        }
    }
}

/// The medians of an earlier run, from its JSON.
struct Baseline: Equatable, Sendable {
    var medians: [String: Double]

    init(_ json: JSONValue) throws(Failure) {
        guard case .array(let results) = json["subject"]?["results"] else {
            throw Failure("the baseline is not a report of this program: it has no subject with results")
        }
        medians = [:]
        for result in results {
            if let name = result["name"]?.text, case .number(let digits) = result["p50"], let value = Double(digits) {
                medians[name] = value
            }
        }
    }
}
