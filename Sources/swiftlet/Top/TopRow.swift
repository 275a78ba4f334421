import CLICore
import CRIProto

/// What one pod or container uses; nil is what the runtime does not tell, which is not nothing.
struct TopRow: Equatable, Sendable {
    enum Kind: Sendable { case pod, container }

    var kind: Kind
    var id: String
    var name: String
    /// Hundredths of one processor since the sample before.
    var cpu: Double?
    var memory: UInt64?
    /// What the memory may come to.
    var limit: UInt64?
    /// How much of the last ten seconds at least one task waited for each (Documentation/accounting/psi.rst).
    var cpuPressure: Double?
    var memoryPressure: Double?
    var ioPressure: Double?
    var processes: UInt64?
    var disk: DiskRate?
}

/// One look at a runtime: the pods, each with its containers.
struct TopSample: Sendable {
    var pods: [Runtime_V1_PodSandboxStats] = []
    /// Containers without a pod, of a runtime that has no statistics of pods.
    var containers: [Runtime_V1_ContainerStats] = []
    /// By the ids of containers and pods, where the runtime tells.
    var disks: [String: DiskRate] = [:]

    /// Each pod's row, with the rows of its containers.
    func groups(since earlier: TopSample?) -> [(pod: TopRow?, containers: [TopRow])] {
        var pods: [String: Runtime_V1_CpuUsage] = [:]
        var containers: [String: Runtime_V1_CpuUsage] = [:]
        for pod in earlier?.pods ?? [] {
            pods[pod.attributes.id] = pod.linux.cpu
            for container in pod.linux.containers { containers[container.attributes.id] = container.cpu }
        }
        for container in earlier?.containers ?? [] { containers[container.attributes.id] = container.cpu }
        var groups: [(pod: TopRow?, containers: [TopRow])] = self.pods.map { pod in
            (
                Self.row(pod, since: pods[pod.attributes.id]),
                pod.linux.containers.map { Self.row($0, since: containers[$0.attributes.id]) }
            )
        }
        if !self.containers.isEmpty {
            groups.append((nil, self.containers.map { Self.row($0, since: containers[$0.attributes.id]) }))
        }
        return groups.map { pod, containers in
            let containers = containers.map { with($0, disks[$0.id]) }
            let parts = containers.compactMap(\.disk)
            let sum = parts.isEmpty ? nil : parts.reduce(DiskRate(read: 0, written: 0), +)
            return (pod.map { with($0, disks[$0.id] ?? sum) }, containers)
        }
    }

    private func with(_ row: TopRow, _ disk: DiskRate?) -> TopRow {
        var row = row
        row.disk = disk
        return row
    }

    private static func row(_ pod: Runtime_V1_PodSandboxStats, since before: Runtime_V1_CpuUsage?) -> TopRow {
        let metadata = pod.attributes.metadata
        var row = row(pod.linux.cpu, pod.linux.memory, pod.linux.io, since: before)
        row.kind = .pod
        row.id = pod.attributes.id
        row.name = metadata.namespace.isEmpty ? metadata.name : "\(metadata.namespace)/\(metadata.name)"
        row.processes = pod.linux.process.hasProcessCount ? pod.linux.process.processCount.value : nil
        return row
    }

    private static func row(_ container: Runtime_V1_ContainerStats, since before: Runtime_V1_CpuUsage?) -> TopRow {
        var row = row(container.cpu, container.memory, container.io, since: before)
        row.id = container.attributes.id
        row.name = container.attributes.metadata.name
        return row
    }

    private static func row(
        _ cpu: Runtime_V1_CpuUsage, _ memory: Runtime_V1_MemoryUsage, _ io: Runtime_V1_IoUsage,
        since before: Runtime_V1_CpuUsage?
    ) -> TopRow {
        var row = TopRow(kind: .container, id: "", name: "")
        row.cpu = UsageRate.hundredths(before, cpu)
        if memory.hasWorkingSetBytes {
            let used = memory.workingSetBytes.value
            row.memory = used
            // available_bytes is the limit less the working set; some runtimes say 0 where there is no limit.
            if memory.availableBytes.value > 0 {
                let (limit, isTooLarge) = used.addingReportingOverflow(memory.availableBytes.value)
                row.limit = isTooLarge ? nil : limit
            }
        }
        row.cpuPressure = cpu.hasPsi ? cpu.psi.some.avg10 : nil
        row.memoryPressure = memory.hasPsi ? memory.psi.some.avg10 : nil
        row.ioPressure = io.hasPsi ? io.psi.some.avg10 : nil
        return row
    }
}
