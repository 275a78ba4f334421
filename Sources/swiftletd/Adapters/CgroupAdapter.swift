import Cgroups
import Lifecycle
import Logging
import Model
import OCI
import Synchronization

/// The lifecycle's cgroups, by way of `Cgroups`.
final class CgroupAdapter: CgroupPort {
    private let cgroups: Cgroups
    private let own: OwnCgroup
    /// Processes in a container; nil = no limit of ours.
    private let pidsLimit: Int64?
    private let log: Logger
    /// Limits that were left out, each named in the log once.
    private let reported = Mutex<Set<String>>([])

    init(cgroups: Cgroups, own: OwnCgroup, pidsLimit: Int64?, log: Logger) {
        self.cgroups = cgroups
        self.own = own
        self.pidsLimit = pidsLimit
        self.log = log
    }

    func sandboxPath(parent: String, pod: PodID) throws -> String {
        try checked("linux.cgroup_parent") { () throws(CgroupError) in
            try cgroups.names.sandbox(pod, parent: parent).description
        }
    }

    func containerPath(parent: String, container: ContainerID) throws -> String {
        try checked("linux.cgroup_parent") { () throws(CgroupError) in
            try cgroups.names.container(container, parent: parent).description
        }
    }

    func makePod(_ pod: PodID, sandbox: String) async throws {
        _ = try await faulted { try await cgroups.create(CgroupPath(parent: sandbox)) }
        try await faulted { try await cgroups.makeLeaf(own.supervisor(pod)) }
    }

    func makeContainer(_ path: String, resources: LinuxResources, devices: [RuntimeResources.DeviceRule]?) async throws
    {
        var resources = resources
        resources.pidsLimit = resources.pidsLimit ?? pidsLimit
        let program = try devices.map { try DeviceProgram($0.map(Self.rule)) }
        let limits = resources
        report(
            try await faulted {
                try await cgroups.create(CgroupPath(parent: path), resources: limits, devices: program)
            })
    }

    func update(_ path: String, from old: LinuxResources, to new: LinuxResources) async throws {
        if let left = try await faulted({ try await cgroups.update(CgroupPath(parent: path), resources: new) }) {
            report(left)
        }
    }

    func kill(_ path: String) async throws { try await faulted { try cgroups.kill(CgroupPath(parent: path)) } }
    func remove(_ path: String) async throws {
        try await faulted { try await cgroups.remove(CgroupPath(parent: path)) }
    }
    func removeSupervisor(_ pod: PodID) async throws {
        try await faulted { try await cgroups.remove(own.supervisor(pod)) }
    }

    private func faulted<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as CgroupError {
            throw error.fault
        }
    }

    private func report(_ unenforced: [String]) {
        for name in unenforced where reported.withLock({ $0.insert(name).inserted }) {
            log.warning(
                "this host has no controller for a limit; it is left out (cgroup.tolerate_missing_controllers)",
                metadata: ["file": "\(name)"])
        }
    }

    private static func rule(_ rule: RuntimeResources.DeviceRule) throws(Fault) -> DeviceRule {
        guard
            let made = DeviceRule(
                allow: rule.allow, type: rule.type, major: rule.major, minor: rule.minor, access: rule.access)
        else { throw Fault.invalid("device rule of type \"\(rule.type)\", access \"\(rule.access)\" is no rule") }
        return made
    }

    private func checked<Value>(_ field: String, _ body: () throws(CgroupError) -> Value) throws(Fault) -> Value {
        do throws(CgroupError) {
            return try body()
        } catch {
            throw Fault(.invalidArgument, field, cause: "\(error)")
        }
    }
}
