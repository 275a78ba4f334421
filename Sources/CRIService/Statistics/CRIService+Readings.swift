import CRIProto
import Cgroups
import Lifecycle
import Model
import Planner
import SwiftProtobuf

/// Readings for the statistics calls; all cgroups of a call are read in one go.
extension CRIService {
    /// Statistics of those that run, in their order; who ends meanwhile is left out.
    func readings(of containers: [ContainerSnapshot]) async throws -> [Runtime_V1_ContainerStats] {
        let running = containers.filter(\.isRunning)
        guard !running.isEmpty else { return [] }
        let usages = try await statistics.usage(ofCgroups: running.map(\.record.cgroup))
        let layers = await statistics.writableLayers(of: running.map(\.record.id))
        return zip(running, usages).compactMap { container, usage in
            usage.map { Present.statistics(container.record, $0, layer: layers[container.record.id]) }
        }
    }

    /// Statistics of ready pods with those of their running containers, in their order.
    ///
    /// A pod's numbers are those of the cgroup that the client named as its parent; without one, pods share a parent, and
    /// processor time, memory and processes are sums over the pod's own cgroups.
    func readings(of pods: [PodSnapshot]) async throws -> [Runtime_V1_PodSandboxStats] {
        let ready = pods.filter(\.isReady)
        guard !ready.isEmpty else { return [] }
        let members = ready.map { pod in runtime.inventory.containers(of: pod.record.id).filter(\.isRunning) }
        var paths: [String] = []
        for (pod, containers) in zip(ready, members) {
            paths += [Self.podCgroup(pod)] + containers.map(\.record.cgroup)
        }
        let usages = try await statistics.usage(ofCgroups: paths)
        let layers = await statistics.writableLayers(of: members.joined().map(\.record.id))
        var answer: [Runtime_V1_PodSandboxStats] = []
        var next = 0
        for (pod, containers) in zip(ready, members) {
            let own = usages[next]
            let parts = Array(usages[(next + 1)..<(next + 1 + containers.count)])
            next += 1 + containers.count
            guard let own else { continue }
            let total = pod.record.config.cgroupParent.isEmpty ? Self.sum([own] + parts.compactMap { $0 }) : own
            let message = await present(pod, total, zip(containers, parts).map { ($0, $1) }, layers)
            answer.append(message)
        }
        return answer
    }

    private func present(
        _ pod: PodSnapshot, _ total: CgroupUsage, _ containers: [(ContainerSnapshot, CgroupUsage?)],
        _ layers: [ContainerID: FilesystemUse]
    ) async -> Runtime_V1_PodSandboxStats {
        let interfaces =
            pod.record.config.sharesNodeNetwork ? nil : await statistics.interfaces(of: pod.record.id)
        let config = pod.record.config
        return .with { message in
            message.attributes = .with {
                $0.id = pod.record.id.text
                $0.metadata = Present.metadata(config.metadata)
                $0.labels = config.labels
                $0.annotations = config.annotations
            }
            message.linux = .with { linux in
                linux.cpu = Present.cpu(total)
                linux.memory = Present.memory(total)
                if let io = Present.io(total) { linux.io = io }
                if let processes = total.counted.processes {
                    linux.process = .with {
                        $0.timestamp = total.timestamp
                        $0.processCount = Present.value(processes.current)
                    }
                }
                if let interfaces, let network = Present.network(interfaces, timestamp: total.timestamp) {
                    linux.network = network
                }
                linux.containers = containers.compactMap { container, usage in
                    usage.map { Present.statistics(container.record, $0, layer: layers[container.record.id]) }
                }
            }
        }
    }

    /// The parent of the sandbox's own cgroup where it belongs to this pod alone, else the sandbox's own.
    private static func podCgroup(_ pod: PodSnapshot) -> String {
        guard !pod.record.config.cgroupParent.isEmpty, let slash = pod.record.cgroup.lastIndex(of: "/") else {
            return pod.record.cgroup
        }
        return slash == pod.record.cgroup.startIndex ? "/" : String(pod.record.cgroup[..<slash])
    }

    /// Counters of cgroups together. Pressure is no sum and is left out; a limit of each is none of all.
    static func sum(_ usages: [CgroupUsage]) -> CgroupUsage {
        guard var total = usages.first else { return CgroupUsage(timestamp: 0, counted: .init(), nanoCores: nil) }
        total.counted.pressure = .init()
        total.counted.memory?.limit = .unlimited
        for usage in usages.dropFirst() {
            if let cpu = usage.counted.cpu { total.counted.cpu?.add(cpu) }
            if let memory = usage.counted.memory { total.counted.memory?.add(memory) }
            if let processes = usage.counted.processes { total.counted.processes?.current &+= processes.current }
            // A new cgroup has no rate yet; the others' is a lower bound then.
            if let more = usage.nanoCores { total.nanoCores = (total.nanoCores ?? 0) &+ more }
        }
        return total
    }
}

extension ContainerSnapshot {
    fileprivate var isRunning: Bool {
        if case .running = state { return true }
        return false
    }
}

extension CgroupStatistics.CPU {
    fileprivate mutating func add(_ other: Self) {
        usageMicroseconds &+= other.usageMicroseconds
        userMicroseconds &+= other.userMicroseconds
        systemMicroseconds &+= other.systemMicroseconds
    }
}

extension CgroupStatistics.Memory {
    fileprivate mutating func add(_ other: Self) {
        currentBytes &+= other.currentBytes
        inactiveFileBytes &+= other.inactiveFileBytes
        anonBytes &+= other.anonBytes
        pageFaults &+= other.pageFaults
        majorPageFaults &+= other.majorPageFaults
    }
}
