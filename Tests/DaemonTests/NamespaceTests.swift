import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Namespaces {}
}

extension WholeDaemon.Namespaces {
    @Test func `containers of a pod share network, IPC, host name and shared memory`() async throws {
        let node = try Node.current
        try await node.withPod("shared") { pod in
            let (first, second) = (try await pod.start(), try await pod.start())
            for name in ["net", "ipc", "uts"] {
                let theirs = try await [
                    first.exec("readlink", "/proc/self/ns/\(name)"), second.exec("readlink", "/proc/self/ns/\(name)"),
                ]
                #expect(theirs[0] == theirs[1], "\(name)")
                #expect(theirs[0] != Processes.link(node.initProcess, "ns/\(name)"), "\(name)")
            }
            for name in ["mnt", "pid", "cgroup"] {
                let theirs = try await [
                    first.exec("readlink", "/proc/self/ns/\(name)"), second.exec("readlink", "/proc/self/ns/\(name)"),
                ]
                #expect(theirs[0] != theirs[1], "\(name)")
            }
            try await first.sh("echo hello >/dev/shm/note")
            #expect(try await second.sh("cat /dev/shm/note") == "hello")
            #expect(try await second.sh("grep ' /dev/shm ' /proc/self/mountinfo").contains("size=65536k"))
            #expect(try await second.exec("hostname") == pod.config.hostname)
            #expect(try await second.exec("cat", "/etc/hostname") == pod.config.hostname)
        }
    }

    @Test func `names are resolved as the pod's configuration says`() async throws {
        let configure: (inout PodConfig) -> Void = {
            $0.dnsConfig.servers = ["10.96.0.10", "fd00::10"]
            $0.dnsConfig.searches = ["a.example", "b.example"]
            $0.dnsConfig.options = ["ndots:5", "edns0"]
        }
        try await Node.current.withPod("dns", configure) { pod in
            let container = try await pod.start()
            #expect(
                try await container.exec("cat", "/etc/resolv.conf")
                    == "search a.example b.example\nnameserver 10.96.0.10\nnameserver fd00::10\noptions ndots:5 edns0")
        }
        let node = try Node.current
        try await node.withPod("no-dns") { pod in
            let container = try await pod.start()
            let ours = try node.text("/etc/resolv.conf").trimmingCharacters(in: .newlines)
            #expect(try await container.exec("cat", "/etc/resolv.conf").trimmingCharacters(in: .newlines) == ours)
        }
    }

    @Test func `sysctls of the pod are set and those of the node are refused`() async throws {
        let node = try Node.current
        let allowed: (inout PodConfig) -> Void = {
            $0.linux.sysctls = [
                "net.core.somaxconn": "77", "kernel.shm_rmid_forced": "1", "net.ipv4.ip_unprivileged_port_start": "80",
            ]
        }
        try await node.withPod("sysctls", allowed) { pod in
            let container = try await pod.start()
            let values = try await container.sh(
                "cd /proc/sys && cat net/core/somaxconn kernel/shm_rmid_forced net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range"
            )
            #expect(values == "77\n1\n80\n0\t2147483647")
        }
        try await node.leavesNothing {
            let refused = [
                ("kernel.core_pattern", "x"), ("vm.swappiness", "1"), ("net/../kernel/core_pattern", "x"),
                ("kernel.hostname", "x"),
                ("kernel.shm_rmid_forced", "1+kernel.core_pattern=|/x"), ("net.core.somaxconn", "1\n2"),
                ("no.such", "1"),
            ]
            for (name, value) in refused {
                let config = try node.podConfig("sysctl") { $0.linux.sysctls = [name: value] }
                let status = try await node.refusal(of: CRIMethods.runPodSandbox, .with { $0.config = config })
                #expect(status.code == .invalidArgument, "\(name): \(status)")
            }
        }
    }

    @Test func `a pod on the node's network is in its namespace and has no address of its own`() async throws {
        let node = try Node.current
        try await node.withPod(
            "host-network",
            {
                $0.linux.securityContext.namespaceOptions.network = .node; $0.hostname = ""
            }
        ) { pod in
            #expect(try await pod.status().network.ip == "")
            let container = try await pod.start { $0.linux.securityContext.namespaceOptions.network = .node }
            #expect(
                try await container.exec("readlink", "/proc/self/ns/net") == Processes.link(node.initProcess, "ns/net"))
            #expect(try await container.exec("hostname") + "\n" == (try await node.succeed("hostname")))
            #expect(node.addressesInUse().isEmpty)
        }
    }

    @Test func `a pod in the node's IPC namespace has its shared memory`() async throws {
        let node = try Node.current
        try await node.withPod("host-ipc", { $0.linux.securityContext.namespaceOptions.ipc = .node }) { pod in
            let container = try await pod.start { $0.linux.securityContext.namespaceOptions.ipc = .node }
            #expect(
                try await container.exec("readlink", "/proc/self/ns/ipc") == Processes.link(node.initProcess, "ns/ipc"))
            let name = node.unique("swiftlet-test")
            try await container.sh("echo x >/dev/shm/\(name)")
            #expect(try node.text("/dev/shm/\(name)") == "x\n")
            try await container.sh("rm /dev/shm/\(name)")
        }
    }

    @Test func `processes see what their PID namespace mode says`() async throws {
        let node = try Node.current
        try await node.withPod("pid", { $0.linux.securityContext.namespaceOptions.pid = .pod }) { pod in
            func start(_ mode: Runtime_V1_NamespaceMode, _ target: String = "") async throws -> Container {
                try await pod.start(["sleep", "12345"]) {
                    $0.linux.securityContext.namespaceOptions.pid = mode
                    $0.linux.securityContext.namespaceOptions.targetID = target
                }
            }
            let shared = try await [start(.pod), start(.pod)]
            let own = try await start(.container)
            let target = try await start(.target, own.id)
            let all = try await start(.node)
            let spaces = try await (shared + [own, target, all]).asyncMap {
                try await $0.exec("readlink", "/proc/self/ns/pid")
            }
            #expect(spaces[0] == spaces[1] && spaces[2] == spaces[3])
            #expect(Set(spaces).count == 3)
            #expect(spaces[4] == Processes.link(node.initProcess, "ns/pid"))
            let count =
                "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null | grep -cx 'sleep 12345 '"
            let counts = try await (shared + [own, target, all]).asyncMap { try await $0.sh(count) }
            #expect(counts == ["2", "2", "2", "2", "5"])
            #expect(try await own.exec("cat", "/proc/1/comm") == "sleep")
            #expect(try await shared[0].exec("cat", "/proc/1/comm") == "swiftlet-launch")
            let unknown = try await pod.refusalOfCreate(
                pod.containerConfig {
                    $0.linux.securityContext.namespaceOptions.pid = .target
                    $0.linux.securityContext.namespaceOptions.targetID = "0000"
                })
            #expect(unknown.code == .invalidArgument && unknown.message.contains("target_id"), "\(unknown)")
            // The end of the one whose namespace it is ends the other.
            try await own.stop()
            _ = try await target.ended()
        }
    }
}

extension Sequence {
    func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
