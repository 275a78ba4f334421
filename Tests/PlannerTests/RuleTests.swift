import Foundation
import LaunchProtocol
import Model
import OCI
import Planner
import Seccomp
import TestKit
import Testing

/// What requests and images come to, rule by rule.
@Suite struct RuleTests {
    @Test(
        "command and arguments follow docker's rules",
        arguments: [
            (["e"], ["c"], [], [], ["e", "c"]), (["e"], ["c"], [], ["a"], ["e", "a"]), (["e"], ["c"], ["x"], [], ["x"]),
            (["e"], ["c"], ["x"], ["a"], ["x", "a"]), ([], ["c"], [], [], ["c"]), ([""], ["c"], [], [], ["c"]),
            ([], [], [], ["a"], ["a"]),
        ] as [([String], [String], [String], [String], [String])])
    func arguments(entrypoint: [String], command: [String], asked: [String], args: [String], result: [String]) throws {
        let spec = try Samples().with {
            $0.image.entrypoint = entrypoint
            $0.image.command = command
            $0.container.command = asked
            $0.container.args = args
        }.spec()
        #expect(spec.process?.args == result)
    }

    @Test("the environment: order, one entry a name, the image's malformed entries dropped")
    func environment() throws {
        let spec = try Samples().with {
            $0.image.environment = [
                "SECRET", "PATH", "*", "=x", "A=b=c", "A\0B=1", "", "B=1", "HOSTNAME=image", "LANG=C",
            ]
            $0.container.environment = [
                EnvironmentVariable(name: "B", value: Array("2".utf8)),
                EnvironmentVariable(name: "RAW", value: [0xff, 0xfe]),
            ]
            $0.container.tty = true
        }.spec()
        let entries = try #require(spec.process?.env)
        #expect(
            entries == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=image", "TERM=xterm",
                "A=b=c", "B=2", "LANG=C",
                RuntimeText(Array("RAW=".utf8) + [0xff, 0xfe]), "HOME=/root",
            ])
    }

    @Test(
        "HOME is the user's unless the request or the image has one",
        arguments: [
            ("/home/app", [], nil, "/home/app"), ("", [], nil, "/"), ("/h\0x", [], nil, "/"),
            ("/home/app", ["HOME=/image"], nil, "/image"),
            ("/home/app", ["HOME=/image"], "/asked", "/asked"), ("/home/app", ["HOME="], nil, ""),
        ] as [(String, [String], String?, String)])
    func home(user: String, image: [String], asked: String?, result: String) throws {
        let spec = try Samples().with {
            $0.user.home = user
            $0.image.environment = image
            if let asked { $0.container.environment = [EnvironmentVariable(name: "HOME", value: Array(asked.utf8))] }
        }.spec()
        #expect(spec.process?.env.filter { $0.description.hasPrefix("HOME=") } == [RuntimeText("HOME=" + result)])
    }

    @Test("HOSTNAME is the pod's, else the node's")
    func hostname() throws {
        #expect(try Samples().spec().process?.env.contains("HOSTNAME=web-0") == true)
        let bare = try Samples().with { $0.pod.hostname = "" }.spec()
        #expect(bare.process?.env.contains("HOSTNAME=node-1") == true)
        let node = try Samples().with {
            $0.pod.namespaces.network = .node; $0.pod.hostname = ""
        }.spec()
        #expect(node.process?.env.contains("HOSTNAME=node-1") == true)
        #expect(node.hostname == "")
    }

    @Test("programs are looked up in the absolute entries of the container's own PATH")
    func searchPath() throws {
        func path(_ value: String) throws -> [String] {
            let plan = try Samples().with {
                $0.container.environment = [EnvironmentVariable(name: "PATH", value: Array(value.utf8))]
            }.plan()
            guard case .execute(_, _, let path) = plan.steps.last else { return ["no execute"] }
            return path.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try path("/a:.:b::/c/d") == ["/a", "/c/d"])
        #expect(try path("") == [])
    }

    @Test(
        "the working directory is the request's, else the image's, else the root",
        arguments: [("", "", "/"), ("", "/img", "/img"), ("/asked", "/img", "/asked"), ("//a/./b/", "", "/a/b")])
    func workingDirectory(asked: String, image: String, result: String) throws {
        let spec = try Samples().with {
            $0.container.workingDirectory = asked
            $0.image.workingDirectory = image
        }.spec()
        #expect(spec.process?.cwd == result)
    }

    static let defaults =
        "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP "
        + "SETUID SYS_CHROOT"

    @Test(
        "capabilities",
        arguments: [
            ([], [], defaults), (["NET_ADMIN"], [], defaults + " NET_ADMIN"),
            (["cap_net_admin"], [], defaults + " NET_ADMIN"),
            ([], ["ALL"], ""), (["CHOWN", "KILL"], ["ALL"], "CHOWN KILL"), (["ALL"], ["ALL"], ""),
            (["all", "CHOWN"], ["All"], "CHOWN"),
            (["CHOWN"], ["CHOWN"], defaults.replacingOccurrences(of: " CHOWN", with: "")),
            (
                [], ["CAP_MKNOD", "NET_RAW"],
                defaults.replacingOccurrences(of: " MKNOD", with: "").replacingOccurrences(of: " NET_RAW", with: "")
            ),
        ] as [([String], [String], String)])
    func capabilities(add: [String], drop: [String], result: String) throws {
        let spec = try Samples().with {
            $0.container.security.addCapabilities = add
            $0.container.security.dropCapabilities = drop
        }.spec()
        let sets = try #require(spec.process?.capabilities)
        let names = Set(result.split(separator: " ").map { "CAP_" + $0 })
        #expect(Set(sets.bounding) == names)
        #expect(sets.permitted == sets.bounding && sets.effective == sets.bounding)
        #expect(sets.inheritable.isEmpty && sets.ambient.isEmpty)
    }

    @Test("ALL and privileged are what the kernel knows and the runtime has")
    func allCapabilities() throws {
        let added = Samples().with {
            $0.host.lastCapability = 37
            $0.host.heldCapabilities.remove(.sysResource)
            $0.container.security.addCapabilities = ["ALL"]
            $0.container.security.dropCapabilities = ["CHOWN"]
        }
        let names = try #require(try added.spec().process?.capabilities?.bounding)
        #expect(
            names.count == 36 && !names.contains("CAP_SYS_RESOURCE") && !names.contains("CAP_CHOWN")
                && !names.contains("CAP_BPF"))
        let privileged = added.with {
            $0.pod.privileged = true
            $0.container.security.privileged = true
        }
        #expect(try privileged.spec().process?.capabilities?.bounding.count == 37)
    }

    @Test("a privileged container has no masks, no filter, writable sysfs, every device and the node's cgroups")
    func privileged() throws {
        let spec = try Samples().with {
            $0.pod.privileged = true
            $0.container.security.privileged = true
            $0.container.security.maskedPaths = ["/proc/kcore"]
        }.spec()
        let linux = try #require(spec.linux)
        #expect(linux.maskedPaths == [] && linux.readonlyPaths == [] && linux.seccomp == nil)
        #expect(linux.resources?.devices == [.init(allow: true, type: "a", access: "rwm")])
        #expect(!linux.namespaces.contains { $0.type == .cgroup })
        #expect(spec.mounts.first { $0.destination == "/sys" }?.options.contains("rw") == true)
    }

    @Test("masked and read-only lists are the request's as they are; without a list the defaults")
    func maskedPaths() throws {
        let given = try Samples().with {
            $0.container.security.maskedPaths = ["/bin/ls"]
            $0.container.security.readonlyPaths = []
        }.spec()
        #expect(given.linux?.maskedPaths == ["/bin/ls"] && given.linux?.readonlyPaths == [])
        let defaults = try Samples().with {
            $0.host.thermalThrottlePaths = ["/sys/devices/system/cpu/cpu0/thermal_throttle"]
        }.spec()
        #expect(defaults.linux?.maskedPaths.count == 13)
        #expect(defaults.linux?.maskedPaths.last == "/sys/devices/system/cpu/cpu0/thermal_throttle")
        #expect(
            defaults.linux?.readonlyPaths == ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])
    }

    @Test("seccomp: nothing and Unconfined are no filter, a read profile is used as it is")
    func seccomp() throws {
        #expect(try Samples().with { $0.container.security.seccomp = nil }.spec().linux?.seccomp == nil)
        #expect(try Samples().with { $0.container.security.seccomp = .unconfined }.spec().linux?.seccomp == nil)
        #expect(try Samples().spec().linux?.seccomp?.defaultAction == "SCMP_ACT_ERRNO")
        let own = try Samples().with {
            $0.container.security.seccomp = .localhost("/p.json")
            $0.facts.localhostProfile = .init(defaultAction: .log, architectures: [], rules: [])
        }.spec()
        #expect(own.linux?.seccomp?.defaultAction == "SCMP_ACT_LOG")
    }

    @Test("mounts of the request take the place of the runtime's, and of what lies below them in /dev and /sys")
    func mountOverrides() throws {
        func destinations(_ mounts: [ContainerMount]) throws -> [String] {
            try Samples().with { $0.container.mounts = mounts }.spec().mounts.map(\.destination)
        }
        #expect(
            try destinations([]) == [
                "/proc", "/dev", "/dev/pts", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/dev/shm", "/etc/hostname",
                "/etc/hosts",
                "/etc/resolv.conf",
            ])
        #expect(
            try destinations([Samples.mount("/dev", "/dev"), Samples.mount("/sys/fs", "/x")]) == [
                "/proc", "/sys", "/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/sys/fs",
            ])
        // /etc comes before the pod's files in it.
        #expect(
            try destinations([
                Samples.mount("/etc", "/x"), Samples.mount("/etc/hosts", "/y"), Samples.mount("/a/b/c", "/z"),
            ]).suffix(5)
                == ["/etc", "/etc/hostname", "/etc/resolv.conf", "/etc/hosts", "/a/b/c"])
    }

    @Test("volumes of the image give way to every other mount of their path")
    func imageVolumes() throws {
        let spec = try Samples().with {
            $0.facts.volumes = ["/data", "/cache/", "/sys/fs/cgroup", "/etc/hosts", "/cache"].enumerated().map {
                ImageVolume(path: $1, directory: "/v/\($0)")
            }
            $0.container.mounts = [Samples.mount("/data", "/asked")]
        }.spec()
        #expect(spec.mounts.filter { $0.source.hasPrefix("/v/") }.map(\.destination) == ["/cache"])
        #expect(spec.mounts.first { $0.destination == "/data" }?.source == "/asked")
    }

    @Test("annotations and labels change nothing but what is shown")
    func annotations() throws {
        let plain = try Samples().spec()
        let annotated = Samples().with {
            for key in [
                "org.systemd.property.X", "run.oci.keep_original_groups", "io.kubernetes.cri-o.Devices", "cdi.k8s.io/x",
                "io.swiftlet.x",
            ] {
                $0.container.annotations[key] = "/dev/sda:/dev/sda:rwm"
                $0.container.labels[key] = "1"
                $0.pod.annotations[key] = "1"
            }
        }
        var spec = try annotated.spec()
        #expect(spec.annotations.count == 5)
        #expect(try annotated.plan() == Samples().plan())
        spec.annotations = [:]
        #expect(spec == plain)
    }

    @Test(
        "PID namespaces",
        arguments: [
            (.pod, .pod, .podInit), (.pod, .container, .new), (.container, .pod, .new), (.container, .container, .new),
            (.node, .pod, .host),
            (.node, .node, .host), (.container, .node, .host),
            (.pod, .target, .container(Array(Samples.otherID.text.utf8))),
        ] as [(NamespaceMode, NamespaceMode, LaunchPlan.PIDNamespace)])
    func pidNamespaces(pod: NamespaceMode, container: NamespaceMode, result: LaunchPlan.PIDNamespace) throws {
        let plan = try Samples().with {
            $0.pod.namespaces.pid = pod
            $0.container.security.namespaces.pid = container
            $0.container.security.namespaces.targetID = Samples.otherID.text
        }.plan()
        #expect(plan.pidNamespace == result)
    }

    @Test("rootfs propagation is the widest that a mount asks for, and set after the root has changed")
    func propagation() throws {
        func steps(_ mounts: [ContainerMount]) throws -> [Step] {
            try Samples().with {
                $0.container.mounts = mounts
                $0.facts.hostMounts = HostMounts([.init(path: "/", isShared: true, isSlave: false)])
            }.plan().steps.filter { if case .setRootPropagation = $0 { true } else { false } }
        }
        let slave = Samples.mount("/a", "/a", propagation: .hostToContainer)
        let shared = Samples.mount("/b", "/b", propagation: .bidirectional)
        #expect(try steps([]) == [])
        #expect(try steps([slave]) == [.setRootPropagation(.slave)])
        #expect(try steps([slave, shared]) == [.setRootPropagation(.shared)])
        // A container that has started is not asked again.
        #expect(
            try Samples().with {
                $0.container.mounts = [shared]; $0.facts.hostMounts = nil
            }.spec().mounts.count == 11)
    }

    @Test("limits of the request show in the description")
    func resources() throws {
        var limits = LinuxResources()
        limits.cpuShares = 512
        limits.cpuQuota = -1
        limits.memoryLimitBytes = 1 << 20
        limits.unified = ["memory.oom.group": "1"]
        limits.pidsLimit = 10
        let resources = try Samples().with { $0.container.resources = limits }.spec().linux?.resources
        #expect(resources?.cpu?.shares == 512 && resources?.cpu?.quota == -1 && resources?.cpu?.period == nil)
        #expect(resources?.memory?.limit == 1 << 20 && resources?.memory?.swap == nil)
        #expect(resources?.unified == ["memory.oom.group": "1"] && resources?.pids?.limit == 10)
        #expect(try Samples().spec().linux?.resources?.cpu == nil)
    }

    @Test("device rules: deny all, then the list, then the request's")
    func deviceRules() throws {
        let rules = try Samples().with {
            $0.container.devices = [
                ContainerDevice(containerPath: "/dev/fuse", hostPath: "/dev/fuse", permissions: "wr")
            ]
            $0.facts.devices = [
                HostDevice(path: "/dev/fuse", kind: .character, major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0)
            ]
        }.spec().linux?.resources?.devices
        #expect(rules?.first == .init(allow: false, type: "a", access: "rwm"))
        #expect(rules?.count == 13)
        #expect(rules?.contains(.init(allow: true, type: "c", major: 136, access: "rwm")) == true)
        #expect(rules?.last == .init(allow: true, type: "c", major: 10, minor: 229, access: "rw"))
    }

    @Test("an exec is who the container is, and may do what it may")
    func execIdentity() throws {
        let samples = Samples().with {
            $0.user = ResolvedUser(uid: 1000, gid: 1001, supplementalGroups: [7], home: "/h")
            $0.container.security.noNewPrivileges = true
            $0.container.resources.oomScoreAdj = 500
            $0.container.workingDirectory = "/work"
        }
        func identity(_ plan: LaunchPlan) -> [Step] {
            plan.steps.filter { step in
                switch step {
                case .setOOMScoreAdj, .resetScheduling, .setResourceLimit, .setUmask, .newSessionKeyring,
                    .setBoundingCapabilities, .setUser,
                    .setCapabilities, .setNoNewPrivileges, .changeDirectory, .installSeccompFilter:
                    true
                default: false
                }
            }
        }
        let plan = try samples.plan()
        #expect(identity(plan) == identity(try samples.exec(["true"])))
        #expect(identity(plan).count > 20)
    }

    @Test("mountinfo is read with its escapes, and the mount that holds a path is found")
    func hostMounts() {
        let text = """
            22 1 0:20 / / rw shared:1 - ext4 /dev/root rw
            30 22 0:25 / /mnt/a\\040b rw,nosuid shared:5 master:1 - tmpfs tmpfs rw
            31 22 0:26 / /mnt/s rw master:2 propagate_from:1 - tmpfs tmpfs rw
            32 22 0:27 / /mnt/p rw - tmpfs tmpfs rw
            nonsense
            33 22 0:28 / /mnt/p rw shared:9 - tmpfs tmpfs rw
            """
        let mounts = HostMounts(mountinfo: Array(text.utf8))
        #expect(mounts.mounts.count == 5)
        #expect(mounts.mount(holding: "/mnt/a b/x") == .init(path: "/mnt/a b", isShared: true, isSlave: true))
        #expect(mounts.mount(holding: "/mnt/s") == .init(path: "/mnt/s", isShared: false, isSlave: true))
        #expect(mounts.mount(holding: "/mnt/p/x") == .init(path: "/mnt/p", isShared: true, isSlave: false))
        #expect(mounts.mount(holding: "/mnt/pp") == .init(path: "/", isShared: true, isSlave: false))
        #expect(HostMounts().mount(holding: "/") == nil)
    }

    @Test("capability masks and names agree with the kernel's numbers")
    func capabilitySets() {
        #expect(CapabilitySet(name: "SYS_ADMIN") == .sysAdmin)
        #expect(CapabilitySet(name: "cap_dac_override") == .dacOverride)
        #expect(CapabilitySet(rawValue: 0xa804_25fb).names.count == 14)
        #expect(CapabilitySet.all(upTo: 40).rawValue == 0x1ff_ffff_ffff)
        #expect(CapabilitySet.all(upTo: -1) == [] && CapabilitySet.all(upTo: 63).rawValue == .max)
    }
}
