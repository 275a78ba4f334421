import Lifecycle
import Linux
import Model
import Planner
import Seccomp

/// What plans have to know of the node: read once at start, and for the few containers that ask for more, read anew.
struct NodeFacts: Sendable {
    let host: HostFacts

    /// Reads the node's facts. Throws where the kernel is older than 5.15, the first with all that the launcher needs
    /// (clone3 into a cgroup, cgroup.kill, mount_setattr).
    static func read(cgroupMount: String) throws -> NodeFacts {
        let release = try text("/proc/sys/kernel/osrelease")
        guard let kernel = KernelVersion(release: release) else {
            throw Fault.precondition("start: kernel release \"\(release)\" is not understood")
        }
        guard kernel >= KernelVersion(5, 15) else {
            throw Fault.precondition("start: Linux \(kernel) is too old: 5.15 or newer is needed")
        }
        guard let lastCapability = Int(try text("/proc/sys/kernel/cap_last_cap")) else {
            throw Fault.internal("read the last capability of the kernel")
        }
        let status = try text("/proc/self/status")
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapPrm:") }),
            let held = UInt64(line.dropFirst("CapPrm:".count).drop { $0 == "\t" || $0 == " " }, radix: 16)
        else { throw Fault.internal("read the daemon's own capabilities") }
        var facts = HostFacts(
            kernel: kernel, hostname: try text("/proc/sys/kernel/hostname"), lastCapability: lastCapability,
            heldCapabilities: CapabilitySet(rawValue: held), cgroupMount: cgroupMount)
        facts.thermalThrottlePaths = try thermalThrottlePaths()
        return NodeFacts(host: facts)
    }

    /// Adds what `config` asks for; blocking.
    func complete(_ facts: ContainerFacts, for config: ContainerConfig) throws -> ContainerFacts {
        var facts = facts
        if config.security.privileged {
            facts.devices = try Devices.all()
        } else {
            for device in config.devices { facts.devices += try Devices.named(device.hostPath) }
        }
        if case .localhost(let path) = config.security.seccomp { facts.localhostProfile = try Self.profile(path) }
        for mount in config.mounts where mount.propagation != .private {
            facts.resolvedSources[mount.hostPath] = Self.resolved(mount.hostPath)
        }
        if config.mounts.contains(where: { $0.propagation != .private }) {
            facts.hostMounts = HostMounts(
                mountinfo: try Adapters.step("read", "/proc/self/mountinfo") { () throws(Errno) in
                    try OwnedFD.open("/proc/self/mountinfo", [.readOnly]).readToEnd(max: 8 << 20)
                })
        }
        return facts
    }

    /// A path without links; nil where it does not exist yet.
    private static func resolved(_ path: String) -> String? {
        do throws(Errno) {
            let place = try OwnedFD.open(Path(path), [.path])
            return String(
                decoding: try OwnedFD.open("/", [.path, .directory]).readSymlink(place.processPath), as: UTF8.self)
        } catch {
            return nil
        }
    }

    /// Whether `complete` has anything to add for a container.
    static func isNeeded(for config: ContainerConfig) -> Bool {
        if case .localhost = config.security.seccomp { return true }
        return config.security.privileged || !config.devices.isEmpty
            || config.mounts.contains { $0.propagation != .private }
    }

    /// A profile file of the node's administrator: a regular file of bounded size (CVE-2023-2431: an empty one is an error).
    private static func profile(_ path: String) throws(Fault) -> SeccompProfile {
        let bytes: [UInt8]
        do throws(Errno) {
            let file = try OwnedFD.open(Path(path), [.readOnly, .nonBlocking])
            guard try file.status().kind == .regular else { throw .invalidArgument }
            bytes = try file.readToEnd(max: SeccompProfile.bytesMax)
        } catch {
            throw Fault(
                .invalidArgument, "security_context.seccomp.localhost_ref: read profile \"\(path)\"", cause: "\(error)")
        }
        do throws(SeccompError) {
            return try SeccompProfile(decoding: bytes)
        } catch {
            throw Fault(
                .invalidArgument, "security_context.seccomp.localhost_ref: profile \"\(path)\"", cause: "\(error)")
        }
    }

    private static func thermalThrottlePaths() throws(Fault) -> [String] {
        let base = "/sys/devices/system/cpu"
        return try Adapters.step("list", base) { () throws(Errno) in
            var found: [String] = []
            guard let directory = try OwnedFD.directory(ifPresent: base) else { return [] }
            for entry in try directory.entries(max: 1 << 16) {
                let name = String(decoding: entry.name, as: UTF8.self)
                guard name.hasPrefix("cpu"), name.dropFirst(3).allSatisfy(\.isNumber), name.count > 3 else { continue }
                do throws(Errno) {
                    _ = try directory.status(Path(name + "/thermal_throttle"))
                    found.append("\(base)/\(name)/thermal_throttle")
                } catch Errno.noEntry {}
            }
            return found.sorted()
        }
    }

    private static func text(_ path: Path) throws(Fault) -> String {
        let bytes = try Adapters.step("read", "\(path)") { () throws(Errno) in
            try OwnedFD.open(path, [.readOnly]).readToEnd(max: 1 << 16)
        }
        return String(decoding: bytes.last == 0x0a ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }
}
