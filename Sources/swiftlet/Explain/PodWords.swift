import CLICore
import CRIProto
import SwiftletAPI

/// What is to be said of a pod.
struct PodWords {
    private let status: Runtime_V1_PodSandboxStatus
    private let members: [Runtime_V1_Container]
    private let operations: [Swiftlet_V1_Operation]
    private let now: UnixNanoseconds

    init(
        _ status: Runtime_V1_PodSandboxStatus, containers: [Runtime_V1_Container], operations: [Swiftlet_V1_Operation],
        now: UnixNanoseconds
    ) {
        self.status = status
        members = containers
        self.operations = operations
        self.now = now
    }

    var subject: [String] {
        var lines = [
            "Pod \(status.metadata.namespace)/\(status.metadata.name) (\(shortID(status.id))), created "
                + agoText(status.createdAt, now: now)
        ]
        if status.metadata.attempt > 0 { lines.append("Made anew: this is attempt \(status.metadata.attempt)") }
        return lines
    }

    var state: [String] {
        var lines: [String] = []
        if status.state == .sandboxReady {
            lines.append("Ready: its containers may run")
        } else {
            let stop = operations.last { ["StopPodSandbox", "RemovePodSandbox"].contains($0.name) }
            let why =
                stop.map { "it was stopped \(agoText($0.startedAt, now: now))" }
                ?? "it was stopped, the node has started anew, or its supervisor is gone"
            lines.append("Not ready: \(why); a kubelet makes another one")
        }
        let options = status.linux.namespaces.options
        if options.network == .node {
            lines.append("On the node's own network")
        } else {
            let addresses = ([status.network.ip] + status.network.additionalIps.map(\.ip)).filter { !$0.isEmpty }
            lines.append(
                addresses.isEmpty ? "It has no address" : "Addresses: " + addresses.joined(separator: ", "))
        }
        if let failed = operations.last(where: { $0.containerID.isEmpty && !$0.error.isEmpty }) {
            lines.append("\(failed.name) failed \(agoText(failed.startedAt, now: now)): \(failed.error)")
        }
        return lines
    }

    var containers: [String] {
        members.sorted { $0.createdAt < $1.createdAt }.map {
            "\($0.metadata.name) (\(shortID($0.id))): \($0.state.word)"
                + ($0.metadata.attempt > 0 ? ", attempt \($0.metadata.attempt)" : "")
        }
    }
}
