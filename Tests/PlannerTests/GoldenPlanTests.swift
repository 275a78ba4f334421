import LaunchProtocol
import Model
import OCI
import Planner
import TestKit
import Testing

/// The plans of typical pods and containers, byte for byte (`UPDATE_GOLDENS=1` writes them anew).
@Suite struct GoldenPlanTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var plan: @Sendable () throws -> LaunchPlan
        var testDescription: String { name }

        init(_ name: String, _ plan: @escaping @Sendable () throws -> LaunchPlan) {
            self.name = name
            self.plan = plan
        }

        /// A container that differs from the sample.
        static func container(_ name: String, _ change: @escaping @Sendable (inout Samples) -> Void) -> Row {
            Row(name) { try Samples().with(change).plan() }
        }

        static func birth(_ name: String, _ change: @escaping @Sendable (inout Samples) -> Void) -> Row {
            Row(name) {
                let samples = Samples().with(change)
                return try samples.builder.birthPlan(samples.pod, samples.podFacts)
            }
        }
    }

    static let rows: [Row] = [
        .container("container-default") { _ in },
        .container("container-privileged") { samples in
            samples.pod.privileged = true
            samples.container.security.privileged = true
            samples.facts.devices = [
                HostDevice(path: "/dev/null", kind: .character, major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0),
                HostDevice(path: "/dev/loop0", kind: .block, major: 7, minor: 0, mode: 0o660, uid: 0, gid: 6),
                HostDevice(path: "/dev/pts/0", kind: .character, major: 136, minor: 0, mode: 0o620, uid: 0, gid: 5),
                HostDevice(
                    path: "/dev/snd/timer", kind: .character, major: 116, minor: 33, mode: 0o660, uid: 0, gid: 29),
            ]
        },
        .container("container-readonly-rootfs") { samples in
            samples.container.security.readonlyRootfs = true
            samples.container.workingDirectory = "/srv/here"
        },
        .container("container-host-network") { samples in
            samples.pod.namespaces.network = .node
            samples.pod.namespaces.ipc = .node
            samples.podFacts.networkNamespace = ""
        },
        .container("container-shared-pid") { samples in
            samples.pod.namespaces.pid = .pod
            samples.container.security.namespaces.pid = .pod
        },
        .container("container-host-pid") { samples in
            samples.pod.namespaces.pid = .node
            samples.container.security.namespaces.pid = .node
        },
        .container("container-target-pid") { samples in
            samples.container.security.namespaces.pid = .target
            samples.container.security.namespaces.targetID = Samples.otherID.text
        },
        .container("container-tty") { samples in
            samples.container.tty = true
            samples.container.stdin = true
        },
        .container("container-non-root") { samples in
            samples.user = ResolvedUser(uid: 1000, gid: 1000, supplementalGroups: [2000, 3000], home: "/home/app")
            samples.container.workingDirectory = "/home/app"
        },
        .container("container-non-root-no-new-privileges") { samples in
            samples.user = ResolvedUser(uid: 1000, gid: 1000, supplementalGroups: [], home: "/")
            samples.container.security.noNewPrivileges = true
            samples.container.security.dropCapabilities = ["ALL"]
            samples.container.resources.oomScoreAdj = 985
        },
        .container("container-unconfined") { samples in
            samples.container.security.seccomp = .unconfined
            samples.container.security.addCapabilities = ["NET_ADMIN", "CAP_SYS_TIME"]
            samples.container.security.dropCapabilities = ["CHOWN"]
            samples.container.security.maskedPaths = []
            samples.container.security.readonlyPaths = []
        },
        .container("container-mounts") { samples in
            samples.container.mounts = [
                Samples.mount("/data/deep/er", "/var/lib/kubelet/c"),
                Samples.mount("/data", "/var/lib/kubelet/a", readonly: true),
                Samples.mount("/host", "/", propagation: .hostToContainer),
                Samples.mount("/csi", "/var/lib/csi", propagation: .bidirectional),
                Samples.mount("/etc/hosts", "/var/lib/kubelet/hosts"),
                Samples.mount("/proc/meminfo", "/var/lib/lxcfs/meminfo"),
                Samples.mount("/data", "/var/lib/kubelet/later"),
            ]
            samples.facts.hostMounts = HostMounts([
                .init(path: "/", isShared: false, isSlave: true),
                .init(path: "/var/lib/csi", isShared: true, isSlave: false),
            ])
            samples.facts.volumes = [
                ImageVolume(path: "/data", directory: "/var/lib/swiftlet/containers/7/volumes/0"),
                ImageVolume(path: "/cache", directory: "/var/lib/swiftlet/containers/7/volumes/1"),
            ]
        },
        .container("container-host-dev") { samples in
            samples.pod.privileged = true
            samples.container.security.privileged = true
            samples.container.tty = true
            samples.container.mounts = [
                Samples.mount("/dev", "/dev"), Samples.mount("/sys/fs/cgroup", "/sys/fs/cgroup"),
            ]
        },
        .container("container-devices") { samples in
            samples.container.devices = [
                ContainerDevice(containerPath: "/dev/fuse", hostPath: "/dev/fuse", permissions: "rw"),
                ContainerDevice(containerPath: "/dev/gpu", hostPath: "/dev/dri", permissions: "rwm"),
                ContainerDevice(containerPath: "/opt/tun", hostPath: "/dev/net/tun", permissions: "r"),
            ]
            samples.facts.devices = [
                HostDevice(path: "/dev/fuse", kind: .character, major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0),
                HostDevice(
                    path: "/dev/dri/card0", kind: .character, major: 226, minor: 0, mode: 0o660, uid: 0, gid: 44),
                HostDevice(
                    path: "/dev/dri/by/id", kind: .character, major: 226, minor: 1, mode: 0o660, uid: 0, gid: 44),
                HostDevice(path: "/dev/net/tun", kind: .character, major: 10, minor: 200, mode: 0o666, uid: 0, gid: 0),
            ]
        },
        .container("container-holds-without-resource-capability") { samples in
            samples.holds = [.afterNamespaces, .beforePivot, .beforeExecute]
            samples.host.heldCapabilities.remove(.sysResource)
        },
        Row("exec") { try Samples().exec(["ls", "-l"]) },
        Row("exec-terminal-non-root") {
            try Samples().with {
                $0.user = ResolvedUser(uid: 1000, gid: 1000, supplementalGroups: [2000], home: "/home/app")
                $0.container.security.noNewPrivileges = true
            }.exec(["sh"], .terminal(rows: 24, columns: 80))
        },
        Row("exec-host-pid-privileged") {
            try Samples().with {
                $0.pod.privileged = true
                $0.pod.namespaces = NamespaceModes()
                $0.pod.namespaces.pid = .node
                $0.pod.namespaces.network = .node
                $0.container.security.privileged = true
                $0.container.security.namespaces.pid = .node
            }.exec(["/bin/true"], .passed(stdin: 2, stdout: 0, stderr: 1))
        },
        .birth("birth") { _ in },
        .birth("birth-host-network") { samples in
            samples.pod.namespaces.network = .node
            samples.podFacts.networkNamespace = ""
        },
        .birth("birth-host-everything") { samples in
            samples.pod.namespaces.network = .node
            samples.pod.namespaces.ipc = .node
        },
        .birth("birth-sysctls") { samples in
            samples.pod.hostname = ""
            samples.host.heldCapabilities.remove(.sysResource)
            samples.pod.sysctls = [
                "kernel.shm_rmid_forced": "1", "net/ipv4/conf/eth0.100/rp_filter": "2",
                "net.ipv4.ping_group_range": "0 100",
                "fs.mqueue.msg_max": "20",
            ]
        },
        Row("pod-init") {
            let samples = Samples()
            return try samples.builder.podInitPlan(samples.pod, anchor: "/run/swiftlet/anchor")
        },
    ]

    @Test("plans are what they were", arguments: rows)
    func plans(row: Row) throws {
        var plan = try row.plan()
        // The filter's length is libseccomp's affair.
        plan.steps = plan.steps.map { step in
            guard case .installSeccompFilter(let program, let flags) = step, !program.isEmpty else { return step }
            return .installSeccompFilter(program: Array(program.prefix(8)), flags: flags)
        }
        try Golden.check(PlanDump.text(plan), with: Golden.fixture("plans/\(row.name).txt"))
        #expect(OrderRules.violations(of: plan) == [])
        // The wire takes it.
        #expect(try PlanCoder.decode(try PlanCoder.encode(plan)) == plan)
    }

    @Test("a description is what it was")
    func description() throws {
        let json = try RuntimeJSON.encode(try Samples().spec(), what: "description", pretty: true)
        let text = String(decoding: json, as: UTF8.self)
        try Golden.check(text + "\n", with: Golden.fixture("oci/description-default.json"))
        #expect(try RuntimeJSON.decode(RuntimeSpec.self, from: json, what: "description") == Samples().spec())
    }
}
