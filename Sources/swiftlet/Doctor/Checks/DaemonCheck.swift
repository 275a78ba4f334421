/// The daemon as it runs: what it inherited, its children inherit.
enum DaemonCheck {
    static func run(_ node: some NodePort, _ findings: inout [Finding]) {
        for id in processes(named: "swiftletd", node) {
            let status = "/proc/\(id)/status"
            func found(_ what: String, breaks: String) {
                findings.add(
                    .error, .daemon, "swiftletd (process \(id)) \(what)", breaks: breaks,
                    mend:
                        "look for what does it: the unit's drop-ins, a wrapper, the container that it runs in; restart it"
                )
            }
            if node.field("NoNewPrivs", of: status) == "1" {
                found("has no_new_privs", breaks: "set-user-ID programs in every container: sudo, ping, su")
            }
            if let mode = node.field("Seccomp", of: status), mode != "0" {
                found("runs under a system call filter", breaks: "every container inherits the filter")
            }
            let all = node.field("CapBnd", of: "/proc/1/status").flatMap { UInt64($0, radix: 16) } ?? 0
            if let own = node.field("CapBnd", of: status).flatMap({ UInt64($0, radix: 16) }), own & all != all {
                found("lacks capabilities in its bounding set", breaks: "containers cannot be given what they ask for")
            }
            if let own = node.link("/proc/\(id)/ns/mnt"), let first = node.link("/proc/1/ns/mnt"), own != first {
                found(
                    "has a mount namespace of its own",
                    breaks:
                        "volumes that the kubelet mounts are not seen, and networks of pods are lost with the daemon")
            }
            let files = node.text("/proc/\(id)/limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
            if let soft = files?.split(separator: " ").dropFirst(3).first.flatMap({ Int($0) }), soft < 65_536 {
                findings.add(
                    .warning, .daemon, "swiftletd (process \(id)) may open \(soft) files",
                    breaks: "nodes with many pods: each costs the daemon some",
                    mend: "set LimitNOFILE=1048576 in the unit, and restart it")
            }
            if let text = node.word("/proc/\(id)/oom_score_adj"), let score = Int(text), score > -900 {
                findings.add(
                    .note, .daemon, "swiftletd (process \(id)) has oom_score_adj \(score)",
                    breaks: "nothing yet; short of memory, the kernel may end it before a pod",
                    mend: "set OOMScoreAdjust=-999 in the unit, and restart it")
            }
        }
    }

    /// The numbers of the processes with a name (proc(5), comm), sorted.
    static func processes(named name: String, _ node: some NodePort) -> [Int] {
        (node.names("/proc") ?? []).compactMap { Int($0) }.sorted().filter { node.word("/proc/\($0)/comm") == name }
    }
}
