import LaunchProtocol
import Model
import OCI
import Planner
import Seccomp
import TestKit

/// One pod, one container, one image and one node, that tests change in the place they are about.
struct Samples {
    var pod = PodConfig(metadata: PodMetadata(name: "web", uid: "uid-1", namespace: "default", attempt: 0))
    var podFacts: PodFacts
    var container = ContainerConfig(metadata: ContainerMetadata(name: "main", attempt: 0), image: "busybox:latest")
    var facts: ContainerFacts
    var image = RuntimeImage(id: "sha256:" + String(repeating: "a", count: 64), layers: ["1", "2", "3"])
    var user = ResolvedUser(uid: 0, gid: 0, supplementalGroups: [], home: "/root")
    var host = HostFacts(
        kernel: KernelVersion(6, 1), hostname: "node-1", lastCapability: 40,
        heldCapabilities: CapabilitySet.all(upTo: 40),
        cgroupMount: "/sys/fs/cgroup")
    var defaults = RuntimeDefaults()
    var holds: [HoldPoint] = []

    static let podID = PodID(String(repeating: "1", count: 64)) ?? .random()
    static let containerID = ContainerID(String(repeating: "2", count: 64)) ?? .random()
    static let otherID = ContainerID(String(repeating: "3", count: 64)) ?? .random()
    static let compiler = SeccompCompiler()

    init() {
        let run = "/run/swiftlet/pods/" + Self.podID.short
        podFacts = PodFacts(
            id: Self.podID, hostnameFile: run + "/hostname", hostsFile: run + "/hosts",
            resolvConfFile: run + "/resolv.conf",
            sharedMemory: run + "/shm", networkNamespace: run + "/netns")
        facts = ContainerFacts(
            id: Self.containerID, anchor: "/run/swiftlet/anchor",
            cgroupPath: "/kubepods/pod1/swiftlet-" + Self.containerID.text)
        pod.hostname = "web-0"
        pod.namespaces.pid = .container
        container.security.namespaces.pid = .container
        container.security.seccomp = .runtimeDefault
        image.entrypoint = ["/bin/sh"]
        image.command = ["-c", "true"]
        image.environment = ["LANG=C"]
    }

    func spec() throws -> RuntimeSpec {
        try SpecBuilder(host: host, defaults: defaults).spec(
            pod: pod, podFacts: podFacts, container: container, facts: facts, image: image, user: user)
    }

    var builder: PlanBuilder { PlanBuilder(host: host, defaults: defaults, seccomp: Self.compiler) }

    func launchFacts() -> LaunchFacts {
        let rootfs = ContainerRootfs(
            directory: "/var/lib/swiftlet", layers: image.layers.map { "layers/\($0)" }, upper: "containers/7/upper",
            work: "containers/7/work")
        var facts = LaunchFacts(rootfs: rootfs, pod: pod, log: 0)
        facts.holds = holds
        return facts
    }

    func plan() throws -> LaunchPlan { try builder.containerPlan(try spec(), launchFacts()) }

    func exec(_ command: [String], _ streams: ExecRequest.Streams = .passed(stdin: nil, stdout: 0, stderr: 1)) throws
        -> LaunchPlan
    {
        try builder.execPlan(try spec(), container: Self.containerID, ExecRequest(command: command, streams: streams))
    }

    /// The same sample with a change.
    func with(_ change: (inout Samples) -> Void) -> Samples {
        var copy = self
        change(&copy)
        return copy
    }

    static func mount(
        _ target: String, _ source: String, readonly: Bool = false, propagation: MountPropagation = .private
    ) -> ContainerMount {
        var mount = ContainerMount(containerPath: target, hostPath: source)
        mount.readonly = readonly
        mount.propagation = propagation
        return mount
    }
}

/// What a call threw, as "code: message"; nil where it threw nothing.
func fault(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let fault as Fault {
        return "\(fault.code.rawValue): \(fault)"
    } catch {
        return "another error: \(error)"
    }
}
