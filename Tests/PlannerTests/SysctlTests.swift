import LaunchProtocol
import Model
import OCI
import Planner
import Testing

/// Which kernel parameters a pod may set (CVE-2022-0811, CVE-2022-0532).
@Suite struct SysctlTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var value = "1"
        var network: NamespaceMode = .pod
        var ipc: NamespaceMode = .pod
        /// The path below /proc/sys, or nil where it is refused.
        var path: String?
        var testDescription: String { "\(name) = \(value.debugDescription)" }
    }

    static let rows: [Row] = [
        Row(name: "net.core.somaxconn", path: "net/core/somaxconn"),
        Row(name: "net/core/somaxconn", path: "net/core/somaxconn"),
        Row(name: "net.ipv4.conf.eth0/100.rp_filter", path: "net/ipv4/conf/eth0.100/rp_filter"),
        Row(name: "net/ipv4/conf/eth0.100/rp_filter", path: "net/ipv4/conf/eth0.100/rp_filter"),
        Row(name: "net.ipv4.ip_local_port_range", value: "1024 65000", path: "net/ipv4/ip_local_port_range"),
        Row(name: "net.ipv4.tcp_rmem", value: "4096\t87380\t6291456", path: "net/ipv4/tcp_rmem"),
        Row(name: "net.ipv4.tcp_congestion_control", value: "bbr", path: "net/ipv4/tcp_congestion_control"),
        Row(name: "net.ipv6.conf.all.forwarding", value: "-1", path: "net/ipv6/conf/all/forwarding"),
        Row(name: "kernel.shm_rmid_forced", path: "kernel/shm_rmid_forced"),
        Row(name: "kernel.shmmax", path: "kernel/shmmax"),
        Row(name: "kernel.msgmax", path: "kernel/msgmax"),
        Row(name: "kernel.sem", value: "250 32000 100 128", path: "kernel/sem"),
        Row(name: "fs.mqueue.msg_max", path: "fs/mqueue/msg_max"),
        // The node's.
        Row(name: "net.core.somaxconn", network: .node), Row(name: "net/core/somaxconn", network: .node),
        Row(name: "kernel.shmmax", ipc: .node), Row(name: "kernel.msgmni", ipc: .node),
        Row(name: "kernel.sem", ipc: .node),
        Row(name: "fs.mqueue.msg_max", ipc: .node),
        // Of no namespace.
        Row(name: "kernel.core_pattern", value: "x"), Row(name: "kernel.hostname", value: "x"),
        Row(name: "vm.swappiness"),
        Row(name: "fs.file-max"), Row(name: "kernel.shm"), Row(name: "kernel.shmmax.x"), Row(name: "kernel.shm_x"),
        Row(name: "fs.mqueue"),
        Row(name: "fs.mqueue.a.b"), Row(name: "net"), Row(name: "user.max_user_namespaces"),
        Row(name: "kernel.semaphore"),
        // Not names.
        Row(name: "net/../kernel/core_pattern"), Row(name: "net.ipv4./../../kernel.core_pattern"),
        Row(name: "net..core"),
        Row(name: "net/./core"), Row(name: "/net/core/somaxconn"), Row(name: "net.core."), Row(name: ""),
        Row(name: "."),
        Row(name: "net.core.a b"), Row(name: "net.core.a\n"), Row(name: "net.core.a\0"), Row(name: "net.core.a=1"),
        Row(name: "net.core." + String(repeating: "a", count: 300)),
        // Values that some reader could take for more than a value.
        Row(name: "kernel.shm_rmid_forced", value: "1+kernel.core_pattern=|/x"),
        Row(name: "kernel.shm_rmid_forced", value: "1\n2"),
        Row(name: "kernel.shm_rmid_forced", value: "1\0"), Row(name: "kernel.shm_rmid_forced", value: ""),
        Row(name: "kernel.shm_rmid_forced", value: "|/bin/sh"), Row(name: "kernel.shm_rmid_forced", value: "a=b"),
        Row(name: "kernel.shm_rmid_forced", value: String(repeating: "1", count: 2000)),
    ]

    @Test("only parameters of the pod's own namespaces are written", arguments: rows)
    func allowed(row: Row) throws {
        let samples = Samples().with { samples in
            samples.pod.sysctls = [row.name: row.value]
            samples.pod.namespaces.network = row.network
            samples.pod.namespaces.ipc = row.ipc
            samples.defaults.networkSysctls = [:]
        }
        if let path = row.path {
            let plan = try samples.builder.birthPlan(samples.pod, samples.podFacts)
            #expect(plan.steps.last == .writeSysctl(path: Array(path.utf8), value: Array(row.value.utf8)))
        } else {
            let said = fault { _ = try samples.builder.birthPlan(samples.pod, samples.podFacts) }
            #expect(said?.hasPrefix("invalidArgument: sysctl ") == true, "\(said ?? "no fault")")
        }
    }

    @Test("one parameter under two names is refused")
    func twice() {
        let samples = Samples().with { $0.pod.sysctls = ["net.core.somaxconn": "1", "net/core/somaxconn": "2"] }
        let said = fault { _ = try samples.builder.birthPlan(samples.pod, samples.podFacts) }
        #expect(said == "invalidArgument: sysctl \"net/core/somaxconn\" is given twice")
    }

    @Test(
        "a hostname that is none is refused",
        arguments: ["a b", "a\nb", "a\0", String(repeating: "a", count: 65), "h\u{e4}"])
    func hostnames(name: String) {
        let samples = Samples().with { $0.pod.hostname = name }
        let said = fault { _ = try samples.builder.birthPlan(samples.pod, samples.podFacts) }
        #expect(said?.hasPrefix("invalidArgument: hostname ") == true)
    }
}
