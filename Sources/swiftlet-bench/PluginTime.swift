import CLICore

/// The time that network plugins take of a pod's calls.
///
/// Swiftlet tells it in the verbose status of a pod. For other runtimes `bench/cni-timer` stands in front of the plugins
/// and writes a line "SANDBOX COMMAND PLUGIN START END" for each run, times in nanoseconds.
enum PluginTime {
    /// The milliseconds in the info map of a pod's status.
    static func milliseconds(in info: [String: String]) -> Double? {
        if let text = info["cniMilliseconds"] { return Double(text) }
        guard let nested = info["info"].map({ Array($0.utf8) }) else { return nil }
        do {
            guard let value = try JSONParser.parse(nested)["cniMilliseconds"] else { return nil }
            switch value {
            case .string(let text), .number(let text): return Double(text)
            default: return nil
            }
        } catch {
            return nil
        }
    }

    /// The milliseconds during which any plugin ran for a sandbox and a command (ADD, DEL); plugins call each other, so the
    /// length of the union counts. Nil if there is no such line.
    static func milliseconds(inLog log: String, sandbox: String, command: String) -> Double? {
        var spans: [(start: Double, end: Double)] = []
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 5, words[0] == sandbox, words[1] == command, let start = Double(words[3]),
                let end = Double(words[4]), start <= end
            else { continue }
            spans.append((start, end))
        }
        guard !spans.isEmpty else { return nil }
        var total = 0.0
        var covered = 0.0
        for span in spans.sorted(by: { $0.start < $1.start }) {
            let start = max(span.start, covered)
            if span.end > start { total += span.end - start }
            covered = max(covered, span.end)
        }
        return total / 1e6
    }
}
