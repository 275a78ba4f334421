/// What is left of pods that are no more; only a runtime that answers can say which those are.
enum StaleCheck {
    static func run(_ node: some NodePort, _ setting: NodeSetting, _ findings: inout [Finding]) {
        guard case .status("swiftlet", _, _, let pods, let containers)? = setting.answer else { return }
        let places = [
            (setting.root + "/pods", pods, "pod", "its records and exit statuses take room"),
            (setting.root + "/containers", containers, "container", "its writable layer takes room"),
            (setting.state + "/pods", pods, "pod", "its network namespace and shared memory are kept"),
        ]
        for (directory, known, noun, breaks) in places {
            let left = (node.names(directory) ?? []).filter { isID($0) && !known.contains($0) }
            guard let first = left.first else { continue }
            findings.add(
                .warning, .stale,
                "\(directory) has \(left.count) of which the runtime knows no \(noun): \(first)"
                    + (left.count > 1 ? ", ..." : ""),
                breaks: breaks,
                mend:
                    "restart the daemon, which takes away what it finds; if they stay, journalctl -u swiftlet says why")
        }
        let supervisors = DaemonCheck.processes(named: "swiftlet-launch", node)
        let orphans = supervisors.filter { process in
            let words = (node.text("/proc/\(process)/cmdline") ?? "").split(separator: "\0").map(String.init)
            let ids = words.flatMap { $0.split(separator: "/") }.map(String.init).filter(isID)
            return !ids.isEmpty && !ids.contains { pods.contains($0) }
        }
        if let first = orphans.first {
            findings.add(
                .warning, .stale,
                "\(orphans.count) supervisors run for pods that the runtime does not know: process \(first)",
                breaks: "their containers run without anybody who could stop them",
                mend: "restart the daemon, which finds them; else end the process, which ends its containers")
        }
    }

    /// Ids of pods and containers are 64 hexadecimal digits.
    private static func isID(_ name: String) -> Bool { name.count == 64 && name.allSatisfy(\.isHexDigit) }
}
