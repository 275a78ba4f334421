import Foundation
import Lifecycle
import Logging
import Model

/// The two documents that cAdvisor's handler for CRI-O reads, with the names of CRI-O's interface.
struct InspectAnswers: Sendable {
    /// cAdvisor takes network counters from the process of the entry with this name, and only from it.
    private static let sandboxName = "POD"
    private static let nameLabel = "io.kubernetes.container.name"
    /// No name of a storage driver that cAdvisor would measure by itself: the kubelet has these numbers from the CRI.
    private static let storageDriver = "overlayfs"

    let runtime: Runtime
    let paths: Layout
    let supervisors: SupervisorAdapter
    let log: Logger

    private struct Node: Encodable {
        var storage_driver: String
        var storage_root: String
        var storage_image: String
    }

    private struct Entry: Encodable {
        var name: String
        var pid: Int32
        var image: String
        var created_time: Int64
        var labels: [String: String]
        var annotations: [String: String]
        var log_path: String
        var root: String
        var ip_address: String
        var ip_addresses: [String]
    }

    /// Nil where nothing is at the path.
    func body(at path: String) -> [UInt8]? {
        if path == "/info" {
            return json(
                Node(storage_driver: Self.storageDriver, storage_root: paths.root, storage_image: paths.images))
        }
        let containers = "/containers/"
        guard path.hasPrefix(containers) else { return nil }
        let id = String(path.dropFirst(containers.count))
        // Ids in full: cgroups have no other names, and a prefix may fit several.
        // The collector asks as soon as it sees a cgroup, and where nothing is known it comes again only after a minute.
        if let pod = PodID(id).flatMap({ runtime.inventory.podEvenUnfinished($0) }) { return json(entry(pod)) }
        if let container = ContainerID(id).flatMap({ runtime.inventory.container($0) }) {
            return json(entry(container))
        }
        return nil
    }

    private func entry(_ container: ContainerSnapshot) -> Entry {
        let record = container.record
        let pod = runtime.inventory.pod(record.podID)?.record
        var pid: Int32 = 0
        if case .running(let running) = container.state { pid = running.pid }
        return Entry(
            name: name(record.config.metadata.name, pod?.config.metadata, attempt: record.config.metadata.attempt),
            pid: pid,
            image: record.config.userSpecifiedImage.isEmpty ? record.config.image : record.config.userSpecifiedImage,
            created_time: record.createdAt, labels: record.config.labels, annotations: record.config.annotations,
            log_path: pod.map { record.config.logFile(in: $0.config) } ?? "",
            root: paths.root + "/" + paths.overlay(record.id).upper, ip_address: pod?.addresses.first ?? "",
            ip_addresses: pod?.addresses ?? [])
    }

    private func entry(_ pod: PodSnapshot) -> Entry {
        let record = pod.record
        var labels = record.config.labels
        labels[Self.nameLabel] = Self.sandboxName
        return Entry(
            name: name(Self.sandboxName, record.config.metadata, attempt: record.config.metadata.attempt),
            // The supervisor lives in the pod's network namespace.
            pid: supervisors.process(of: record.id)?.pid ?? 0, image: "", created_time: record.createdAt,
            labels: labels,
            annotations: record.config.annotations, log_path: "", root: paths.podRoot(record.id),
            ip_address: record.addresses.first ?? "", ip_addresses: record.addresses)
    }

    /// As the kubelet's own names of old: "k8s_container_pod_namespace_uid_attempt".
    private func name(_ container: String, _ pod: PodMetadata?, attempt: UInt32) -> String {
        "k8s_\(container)_\(pod?.name ?? "")_\(pod?.namespace ?? "")_\(pod?.uid ?? "")_\(attempt)"
    }

    private func json(_ value: some Encodable) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            log.error("an answer of the inspect socket cannot be written", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
