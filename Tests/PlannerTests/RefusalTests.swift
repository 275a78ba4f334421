import Model
import OCI
import Planner
import Testing

/// Requests that are refused: which code, and a sentence that names the field.
@Suite struct RefusalTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var fault: String
        var change: @Sendable (inout Samples) -> Void
        var testDescription: String { name }

        init(_ name: String, _ fault: String, _ change: @escaping @Sendable (inout Samples) -> Void) {
            self.name = name
            self.fault = fault
            self.change = change
        }

        static func mount(_ name: String, _ path: String, _ fault: String) -> Row {
            Row(name, fault) { $0.container.mounts = [Samples.mount(path, "/data")] }
        }

        static func volume(_ name: String, _ path: String, _ fault: String) -> Row {
            Row(name, fault) { $0.facts.volumes = [ImageVolume(path: path, directory: "/v")] }
        }

        static func seen(_ name: String, _ path: String, _ fault: String) -> Row {
            Row(name, fault) { $0.container.security.maskedPaths = [path] }
        }
    }

    static let requests: [Row] = [
        Row("no command anywhere", "invalidArgument: no command specified") {
            $0.image.entrypoint = []; $0.image.command = []
        },
        Row("an empty program name", "invalidArgument: no command specified") { $0.container.command = [""] },
        Row("NUL in an argument", "has a NUL byte") { $0.container.args = ["a\0b"] },
        Row("a variable without a name", "invalidArgument: environment variable name \"\"") {
            $0.container.environment = [EnvironmentVariable(name: "", value: [])]
        },
        Row("a variable name with =", "environment variable name \"A=B\"") {
            $0.container.environment = [EnvironmentVariable(name: "A=B", value: [])]
        },
        Row("NUL in a variable name", "environment variable name") {
            $0.container.environment = [EnvironmentVariable(name: "A\0", value: [])]
        },
        Row("NUL in a variable value", "invalidArgument: environment variable \"A\" has a NUL byte in its value") {
            $0.container.environment = [EnvironmentVariable(name: "A", value: [0x61, 0])]
        },
        Row("a relative working directory", "invalidArgument: working_dir \"work\" is not absolute") {
            $0.container.workingDirectory = "work"
        },
        Row("a working directory with ..", "working_dir \"/a/../b\" has a \"..\" in it") {
            $0.container.workingDirectory = "/a/../b"
        },
        Row("a relative working directory of the image", "working directory of the image \"work\" is not absolute") {
            $0.image.workingDirectory = "work"
        },
        Row("a NUL in the working directory", "working_dir") { $0.container.workingDirectory = "/a\0b" },
        Row("a working directory of 5,000 bytes", "working_dir has more than 4095 bytes") {
            $0.container.workingDirectory = "/" + String(repeating: "a", count: 5000)
        },
        Row("a capability that is none", "invalidArgument: add_capabilities: unknown capability \"NET_ADMINN\"") {
            $0.container.security.addCapabilities = ["NET_ADMINN"]
        },
        Row("a capability by number", "drop_capabilities: unknown capability \"12\"") {
            $0.container.security.dropCapabilities = ["12"]
        },
        Row("a capability with a tail", "unknown capability \"CHOWN=ep\"") {
            $0.container.security.addCapabilities = ["CHOWN=ep"]
        },
        Row("an empty capability", "unknown capability \"\"") { $0.container.security.addCapabilities = [""] },
        Row("a capability that the kernel is too old for", "unknown capability \"BPF\"") {
            $0.host.lastCapability = 37
            $0.container.security.addCapabilities = ["BPF"]
        },
        Row(
            "a capability that the runtime does not have",
            "failedPrecondition: add_capabilities: this runtime does not have CAP_SYS_RESOURCE"
        ) {
            $0.host.heldCapabilities.remove(.sysResource)
            $0.container.security.addCapabilities = ["SYS_RESOURCE"]
        },
        Row("privileged in a pod that is not", "invalidArgument: no privileged container allowed in sandbox") {
            $0.container.security.privileged = true
        },
        Row("oom_score_adj above 1000", "invalidArgument: oom_score_adj 1001 is not in -1000...1000") {
            $0.container.resources.oomScoreAdj = 1001
        },
        Row("oom_score_adj at the end of the type", "oom_score_adj") { $0.container.resources.oomScoreAdj = .min },
        Row("a profile that was not read", "invalidArgument: seccomp profile \"/p.json\" was not read") {
            $0.container.security.seccomp = .localhost("/p.json")
        },
        .mount("a mount over the root", "/", "mount container_path \"/\" would hide the root file system"),
        .mount("a mount over the root, spelt otherwise", "/.//", "mount container_path \"/\" would hide"),
        .mount("a mount over /proc", "/proc", "invalidArgument: mount container_path \"/proc\" lies in /proc"),
        .mount("a mount in /proc/self", "/proc/self/attr", "lies in /proc"),
        .mount("a mount in /proc/sys", "//proc/./sys", "lies in /proc"),
        .mount("a mount on /proc/1/fd", "/proc/1/fd", "lies in /proc"),
        .mount("a mount below a replaceable file", "/proc/stat/x", "lies in /proc"),
        .mount("a relative mount", "data", "mount container_path \"data\" is not absolute"),
        .mount("a mount with ..", "/a/../proc", "has a \"..\" in it"),
        Row("a relative source", "mount host_path \"data\" is not absolute") {
            $0.container.mounts = [Samples.mount("/data", "data")]
        },
        .volume(
            "a volume over /proc", "/proc",
            "invalidArgument: volume of the image \"/proc\" would hide a system directory"),
        .volume("a volume over a replaceable file", "/proc/stat", "would hide a system directory"),
        .volume("a volume over the root", "/", "would hide a system directory"),
        .volume("a volume with ..", "/../../../canary", "has a \"..\" in it"),
        .volume("a relative volume", "..", "is not absolute"), .volume("an empty volume", "", "is not absolute"),
        .volume("a volume with NUL", "/a\0", "NUL"),
        .seen("a relative masked path", "proc/kcore", "masked path \"proc/kcore\" is not absolute"),
        Row("a read-only path with ..", "read-only path") { $0.container.security.readonlyPaths = ["/a/.."] },
        Row("a device that is not there", "invalidArgument: device \"/dev/none\" is not a device") {
            $0.container.devices = [
                ContainerDevice(containerPath: "/dev/none", hostPath: "/dev/none", permissions: "r")
            ]
        },
        Row("device permissions that are none", "device permissions \"rx\"") {
            $0.container.devices = [
                ContainerDevice(containerPath: "/dev/none", hostPath: "/dev/none", permissions: "rx")
            ]
        },
        Row("empty device permissions", "device permissions \"\"") {
            $0.container.devices = [ContainerDevice(containerPath: "/dev/none", hostPath: "/dev/none", permissions: "")]
        },
        Row("a device on the root", "device container_path \"/\"") {
            $0.container.devices = [ContainerDevice(containerPath: "/", hostPath: "/dev/none", permissions: "r")]
        },
        Row(
            "the node's network in a pod with its own",
            "invalidArgument: network namespace \"NODE\" of the container differs"
        ) {
            $0.container.security.namespaces.network = .node
        },
        Row("a network of the container alone", "network namespace \"CONTAINER\"") {
            $0.container.security.namespaces.network = .container
        },
        Row("the node's IPC in a pod with its own", "ipc namespace \"NODE\"") {
            $0.container.security.namespaces.ipc = .node
        },
        Row("a target that is no id", "invalidArgument: target_id \"../1\" is not a container id") {
            $0.container.security.namespaces.pid = .target
            $0.container.security.namespaces.targetID = "../1"
        },
        Row("a pod with the target mode", "pid namespace of a pod cannot be \"TARGET\"") {
            $0.pod.namespaces.pid = .target
        },
        Row(
            "rslave from a private mount",
            "failedPrecondition: mount host_path \"/v\" is on \"/\", which is not a shared or slave mount"
        ) {
            $0.facts.hostMounts = HostMounts([.init(path: "/", isShared: false, isSlave: false)])
            $0.container.mounts = [Samples.mount("/v", "/v", propagation: .hostToContainer)]
        },
        Row(
            "rshared from a slave mount",
            "failedPrecondition: mount host_path \"/v/x\" is on \"/v\", which is not a shared mount"
        ) {
            $0.facts.hostMounts = HostMounts([
                .init(path: "/", isShared: true, isSlave: false), .init(path: "/v", isShared: false, isSlave: true),
            ])
            $0.container.mounts = [Samples.mount("/v", "/v/x", propagation: .bidirectional)]
        },
        Row("propagation with an unknown mount table", "failedPrecondition: mount host_path \"/v\"") {
            $0.container.mounts = [Samples.mount("/v", "/v", propagation: .bidirectional)]
        },
        Row("propagation through a link to a private mount", "which is not a shared mount") {
            $0.facts.hostMounts = HostMounts([
                .init(path: "/", isShared: true, isSlave: false),
                .init(path: "/private", isShared: false, isSlave: false),
            ])
            $0.facts.resolvedSources = ["/link": "/private/x"]
            $0.container.mounts = [Samples.mount("/v", "/link", propagation: .bidirectional)]
        },
    ]

    @Test("a request that cannot be carried out is refused by name", arguments: requests)
    func refused(row: Row) {
        #expect(fault { _ = try Samples().spec() } == nil)
        let said = fault { _ = try Samples().with(row.change).spec() }
        #expect(said?.contains(row.fault) == true, "\(said ?? "no fault")")
        #expect(said?.contains("\0") != true)
    }

    struct SpecRow: CustomTestStringConvertible, Sendable {
        var name: String
        var fault: String
        var change: @Sendable (inout RuntimeSpec) throws -> Void
        var testDescription: String { name }

        init(_ name: String, _ fault: String, _ change: @escaping @Sendable (inout RuntimeSpec) throws -> Void) {
            self.name = name
            self.fault = fault
            self.change = change
        }

        static func option(_ option: String, on destination: String = "/etc/hosts", _ fault: String) -> SpecRow {
            SpecRow("mount option \(option)", fault) { spec in
                for index in spec.mounts.indices where spec.mounts[index].destination == destination {
                    spec.mounts[index].options.append(option)
                }
            }
        }
    }

    /// JSON that brings a part into a description.
    static func decoded<Value: Decodable>(_ type: Value.Type, _ json: String) throws -> Value {
        try RuntimeJSON.decode(type, from: Array(json.utf8), what: "part")
    }

    static let descriptions: [SpecRow] = [
        SpecRow("no process", "invalidArgument: the description has no process") { $0.process = nil },
        SpecRow("no root", "invalidArgument: the description has no root") { $0.root = nil },
        SpecRow("no linux part", "invalidArgument: the description has no linux part") { $0.linux = nil },
        SpecRow("domainname", "unimplemented: domainname") { $0.domainname = "x" },
        SpecRow("hooks", "unimplemented: hooks") { spec in
            var hooks = RuntimeHooks()
            hooks.createContainer = [RuntimeHooks.Hook(path: "/bin/true")]
            spec.hooks = hooks
        },
        SpecRow("an AppArmor profile", "unimplemented: process.apparmorProfile") { $0.process?.apparmorProfile = "x" },
        SpecRow("an SELinux label", "unimplemented: process.selinuxLabel") { $0.process?.selinuxLabel = "x" },
        SpecRow("a mount label", "unimplemented: linux.mountLabel") { $0.linux?.mountLabel = "x" },
        SpecRow("a scheduler", "unimplemented: process.scheduler") { spec in
            spec.process?.scheduler = try decoded(RuntimeProcess.Scheduler.self, #"{"policy": "SCHED_FIFO"}"#)
        },
        SpecRow("an I/O priority", "unimplemented: process.ioPriority") { spec in
            spec.process?.ioPriority = try decoded(
                RuntimeProcess.IOPriority.self, #"{"class": "IOPRIO_CLASS_RT", "priority": 0}"#)
        },
        SpecRow("a CPU affinity of execs", "unimplemented: process.execCPUAffinity") { spec in
            spec.process?.execCPUAffinity = try decoded(RuntimeProcess.CPUAffinity.self, #"{"initial": "0"}"#)
        },
        SpecRow("ambient capabilities", "unimplemented: process.capabilities.ambient") {
            $0.process?.capabilities?.ambient = ["CAP_CHOWN"]
        },
        SpecRow("inheritable capabilities", "unimplemented: process.capabilities.inheritable") {
            $0.process?.capabilities?.inheritable = ["CAP_CHOWN"]
        },
        SpecRow("effective beyond permitted", "invalidArgument: process.capabilities") {
            $0.process?.capabilities?.permitted = []
        },
        SpecRow("permitted beyond bounding", "invalidArgument: process.capabilities") {
            $0.process?.capabilities?.bounding = []
        },
        SpecRow("an unknown capability", "invalidArgument: process.capabilities: unknown capability \"CAP_X\"") {
            $0.process?.capabilities?.bounding.append("CAP_X")
        },
        SpecRow("an unknown limit", "process.rlimits: unknown limit \"RLIMIT_X\"") {
            $0.process?.rlimits = [.init("RLIMIT_X", soft: 1, hard: 1)]
        },
        SpecRow("a limit twice", "process.rlimits has \"RLIMIT_CPU\" twice") {
            $0.process?.rlimits = [.init("RLIMIT_CPU", soft: 1, hard: 1), .init("RLIMIT_CPU", soft: 1, hard: 1)]
        },
        SpecRow("soft above hard", "process.rlimits: \"RLIMIT_CPU\" has a soft limit above") {
            $0.process?.rlimits = [.init("RLIMIT_CPU", soft: 2, hard: 1)]
        },
        SpecRow("uid mappings", "unimplemented: linux.uidMappings") {
            $0.linux?.uidMappings = [RuntimeIDMapping(containerID: 0, hostID: 1, size: 1)]
        },
        SpecRow("gid mappings", "unimplemented: linux.gidMappings") {
            $0.linux?.gidMappings = [RuntimeIDMapping(containerID: 0, hostID: 1, size: 1)]
        },
        SpecRow("a user namespace", "unimplemented: user namespace") { $0.linux?.namespaces.append(.init(.user)) },
        SpecRow("a time namespace", "unimplemented: time namespace") { $0.linux?.namespaces.append(.init(.time)) },
        SpecRow("time offsets", "unimplemented: linux.timeOffsets") { spec in
            spec.linux?.timeOffsets =
                try decoded([String: RuntimeLinux.TimeOffset].self, #"{"boottime": {"secs": 1}}"#)
        },
        SpecRow("intelRdt", "unimplemented: linux.intelRdt") { $0.linux?.intelRdt = RuntimeLinux.Presence() },
        SpecRow("a memory policy", "unimplemented: linux.memoryPolicy") {
            $0.linux?.memoryPolicy = RuntimeLinux.Presence()
        },
        SpecRow("net devices", "unimplemented: linux.netDevices") { spec in
            spec.linux?.netDevices = try decoded([String: RuntimeLinux.NetDevice].self, #"{"eth1": {}}"#)
        },
        SpecRow("a personality", "unimplemented: linux.personality") { spec in
            spec.linux?.personality = try decoded(RuntimeLinux.Personality.self, #"{"domain": "LINUX32"}"#)
        },
        SpecRow("sysctls of a container", "unimplemented: linux.sysctl") {
            $0.linux?.sysctl = ["net.core.somaxconn": "1"]
        },
        SpecRow("network classes", "unimplemented: linux.resources.network") {
            $0.linux?.resources?.network = RuntimeLinux.Presence()
        },
        SpecRow("block I/O", "unimplemented: linux.resources.blockIO") {
            $0.linux?.resources?.blockIO = RuntimeLinux.Presence()
        },
        SpecRow("RDMA", "unimplemented: linux.resources.rdma") {
            $0.linux?.resources?.rdma = ["mlx5_1": RuntimeLinux.Presence()]
        },
        SpecRow("no mount namespace", "unimplemented: a container without a mount namespace") { spec in
            spec.linux?.namespaces.removeAll { $0.type == .mount }
        },
        SpecRow("another's mount namespace", "unimplemented: an existing mount namespace") { spec in
            spec.linux?.namespaces = [.init(.mount, path: "/proc/1/ns/mnt")]
        },
        SpecRow("a network of the container alone", "unimplemented: a network namespace of a single container") {
            spec in
            spec.linux?.namespaces = [.init(.mount), .init(.network)]
        },
        SpecRow("a namespace twice", "invalidArgument: linux.namespaces has \"ipc\" twice") {
            $0.linux?.namespaces.append(.init(.ipc, path: "pod"))
        },
        SpecRow(
            "the node's network in a pod with its own",
            "invalidArgument: network namespace: the description says the node's"
        ) { spec in
            spec.linux?.namespaces.removeAll { $0.type == .network }
        },
        SpecRow("the node's IPC in a pod with its own", "invalidArgument: ipc namespace") { spec in
            spec.linux?.namespaces.removeAll { $0.type == .ipc }
        },
        SpecRow("a PID namespace by path", "unimplemented: pid namespace at \"/proc/1/ns/pid\"") { spec in
            spec.linux?.namespaces.removeAll { $0.type == .pid }
            spec.linux?.namespaces.append(.init(.pid, path: "/proc/1/ns/pid"))
        },
        SpecRow("another hostname", "unimplemented: hostname \"other\"") { $0.hostname = "other" },
        SpecRow("an unbindable root", "unimplemented: linux.rootfsPropagation") {
            $0.linux?.rootfsPropagation = "unbindable"
        },
        SpecRow("a file system of another kind", "unimplemented: mount \"/x\": file system \"ext4\"") {
            $0.mounts.append(RuntimeMount(destination: "/x", type: "ext4", source: "/dev/sda1"))
        },
        SpecRow("an idmapped mount", "unimplemented: mount \"/etc/hosts\": id mappings") { spec in
            for index in spec.mounts.indices where spec.mounts[index].destination == "/etc/hosts" {
                spec.mounts[index].uidMappings = [RuntimeIDMapping(containerID: 0, hostID: 1, size: 1)]
            }
        },
        SpecRow("a mount over the root", "invalidArgument: mount destination \"/\"") {
            $0.mounts.append(RuntimeMount(destination: "/", type: "tmpfs", source: "tmpfs"))
        },
        .option("idmap", "unimplemented: mount \"/etc/hosts\": option \"idmap\""),
        .option("remount", "option \"remount\""),
        .option("unbindable", "option \"unbindable\""), .option("tmpcopyup", "option \"tmpcopyup\""),
        .option("nosymfollow", "option \"nosymfollow\""), .option("rnosuid", "option \"rnosuid\""),
        .option("size=1k", "invalidArgument: mount \"/etc/hosts\": a bind mount has no option \"size\""),
        .option("x=" + String(repeating: "a", count: 256), on: "/dev", "invalidArgument: mount \"/dev\": option"),
        .option("rslave", on: "/dev", "unimplemented: mount \"/dev\": options of bind mounts"),
        .option("rro", on: "/dev/shm", "unimplemented: mount \"/dev/shm\": \"rro\" together"),
        SpecRow("a device of an unknown type", "invalidArgument: device \"/dev/x\" has the unknown type") {
            $0.linux?.devices = [.init(path: "/dev/x", type: "x", major: 1, minor: 1, fileMode: 0, uid: 0, gid: 0)]
        },
        SpecRow("a device outside /dev", "unimplemented: device \"/opt/x\" outside /dev") {
            $0.linux?.devices = [.init(path: "/opt/x", type: "c", major: 1, minor: 1, fileMode: 0, uid: 0, gid: 0)]
        },
        SpecRow("a device number out of range", "invalidArgument: device \"/dev/x\" has a number out of range") {
            $0.linux?.devices = [.init(path: "/dev/x", type: "c", major: 4096, minor: 1, fileMode: 0, uid: 0, gid: 0)]
        },
        SpecRow("a negative device number", "device \"/dev/x\" has a number out of range") {
            $0.linux?.devices = [.init(path: "/dev/x", type: "c", major: -1, minor: 1, fileMode: 0, uid: 0, gid: 0)]
        },
        SpecRow("a profile that cannot be compiled", "invalidArgument: seccomp: read seccomp profile: action") {
            $0.linux?.seccomp = RuntimeSeccomp(defaultAction: "SCMP_ACT_MAYBE")
        },
        SpecRow("5,000 mounts", "invalidArgument: the container has more than 4096 mounts") { spec in
            for index in 0..<5000 {
                spec.mounts.append(
                    RuntimeMount(destination: "/m\(index)", type: "bind", source: "/data", options: ["bind"]))
            }
        },
    ]

    @Test("a description that a plan cannot express is refused by name", arguments: descriptions)
    func refusedDescription(row: SpecRow) throws {
        let samples = Samples()
        var spec = try samples.spec()
        let sound = spec
        try row.change(&spec)
        #expect(spec != sound)
        let said = fault { _ = try samples.builder.containerPlan(spec, samples.launchFacts()) }
        #expect(said?.contains(row.fault) == true, "\(said ?? "no fault")")
    }

    @Test(
        "a root file system that is not ours is refused",
        arguments: [
            ([], "upper", "0 layers"), (Array(repeating: "l", count: 129), "upper", "129 layers"),
            (["a:b"], "upper", "\"a:b\""),
            (["../x"], "upper", "plain relative"), (["/x"], "upper", "plain relative"), (["1"], "", "plain relative"),
            (["1"], "u,x", "plain relative"),
        ] as [([String], String, String)])
    func rootfs(layers: [String], upper: String, says: String) throws {
        let samples = Samples()
        var facts = samples.launchFacts()
        facts.rootfs = ContainerRootfs(directory: "/store", layers: layers, upper: upper, work: "w")
        let said = fault { _ = try samples.builder.containerPlan(try samples.spec(), facts) }
        #expect(said?.contains(says) == true, "\(said ?? "no fault")")
    }

    @Test("an exec without a command is refused")
    func execWithoutCommand() {
        #expect(fault { _ = try Samples().exec([]) } == "invalidArgument: no command specified")
    }
}
