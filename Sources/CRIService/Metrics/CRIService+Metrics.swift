import CRIProto
import Cgroups
import Lifecycle
import Model
import Planner
import SwiftProtobuf

extension CRIService {
    /// Metrics of all ready pods and of their running containers; who ends meanwhile is left out.
    func allMetrics() async throws -> [Runtime_V1_PodSandboxMetrics] {
        let pods = runtime.inventory.pods().filter(\.isReady)
        let ready = Set(pods.map(\.record.id))
        let readings = try await containerReadings(
            runtime.inventory.containers().filter { ready.contains($0.record.podID) })
        let members = Dictionary(grouping: readings, by: \.record.podID)
        var answer: [Runtime_V1_PodSandboxMetrics] = []
        answer.reserveCapacity(pods.count)
        for pod in pods {
            var message = Runtime_V1_PodSandboxMetrics()
            message.podSandboxID = pod.record.id.text
            message.metrics = await networkMetrics(pod)
            message.containerMetrics = (members[pod.record.id] ?? []).map { Self.metrics($0, pod) }
            answer.append(message)
        }
        return answer
    }

    private func networkMetrics(_ pod: PodSnapshot) async -> [Runtime_V1_Metric] {
        guard !pod.record.config.sharesNodeNetwork, let interfaces = await statistics.interfaces(of: pod.record.id)
        else { return [] }
        let reading = PodReading(interfaces: interfaces)
        let labels = MetricLabels(
            pod: pod.record.config.metadata.name, namespace: pod.record.config.metadata.namespace, container: "",
            id: pod.record.id.text, image: "")
        let now = runtime.now()
        return Metrics.ofPods.flatMap { $0.messages(reading, labels, timestamp: now) }
    }

    private static func metrics(_ reading: ContainerReading, _ pod: PodSnapshot) -> Runtime_V1_ContainerMetrics {
        let config = reading.record.config
        let labels = MetricLabels(
            pod: pod.record.config.metadata.name, namespace: pod.record.config.metadata.namespace,
            container: config.metadata.name, id: reading.record.id.text,
            image: config.userSpecifiedImage.isEmpty ? config.image : config.userSpecifiedImage)
        return .with { message in
            message.containerID = reading.record.id.text
            message.metrics = Metrics.ofContainers.flatMap {
                $0.messages(reading, labels, timestamp: reading.usage.timestamp)
            }
        }
    }

    /// Everything that is known of those that run; what is slow to find out comes from the last time that it was.
    private func containerReadings(_ containers: [ContainerSnapshot]) async throws -> [ContainerReading] {
        let running = containers.compactMap { container -> (record: ContainerRecord, main: ContainerMachine.Running)? in
            guard case .running(let main) = container.state else { return nil }
            return (container.record, main)
        }
        guard !running.isEmpty else { return [] }
        let usages = try await statistics.usage(ofCgroups: running.map(\.record.cgroup))
        let processes = try await statistics.processes(
            of: running.map { ContainerPlace(cgroup: $0.record.cgroup, process: $0.main.pid) })
        let layers = await statistics.writableLayers(of: running.map(\.record.id))
        let volume = await statistics.layerVolume()
        let used = Set(
            usages.compactMap { $0 }.flatMap(\.counted.io).map { BlockDevice(major: $0.major, minor: $0.minor) })
        let devices = used.isEmpty ? [:] : await statistics.names(of: used)
        return running.indices.compactMap { index in
            guard let usage = usages[index] else { return nil }
            let (record, main) = running[index]
            return ContainerReading(
                record: record, startedAt: main.startedAt, usage: usage, processes: processes[index],
                layer: layers[record.id], volume: volume, devices: devices)
        }
    }
}
