import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization

private typealias Event = Runtime_V1_ContainerEventResponse

/// Events of containers and sandboxes.
let eventCases: [Case] = [
    Case(
        "events.life", "GetContainerEvents tells of CREATED, STARTED, STOPPED and DELETED in this order",
        source: "kubelet pleg/evented.go", proves: ["GetContainerEvents"]
    ) { trial in
        let (container, all) = try await wholeLife(trial)
        let own = all.filter { $0.containerID == container.id }
        try equal(
            own.map(\.containerEventType),
            [.containerCreatedEvent, .containerStartedEvent, .containerStoppedEvent, .containerDeletedEvent], "events")
        for event in own { try expect(event.createdAt > 0, "no time in \(event)") }
    },
    Case(
        "events.sandbox", "GetContainerEvents tells of the sandbox itself, too", source: "kubelet pleg/evented.go",
        proves: ["GetContainerEvents"]
    ) { trial in
        let (container, all) = try await wholeLife(trial)
        let types = Set(all.filter { $0.containerID == container.pod.id }.map(\.containerEventType))
        try expect(types.isSuperset(of: [.containerCreatedEvent, .containerStartedEvent]), "events \(types)")
    },
    Case(
        "events.content", "An event has the status of the pod and of its containers, as they were then",
        source: "kubelet pleg/evented.go", proves: ["GetContainerEvents"]
    ) { trial in
        let (container, all) = try await wholeLife(trial)
        for event in all {
            try equal(event.podSandboxStatus.id, container.pod.id, "pod_sandbox_status.id")
            try equal(event.podSandboxStatus.metadata, container.pod.config.metadata, "pod_sandbox_status.metadata")
        }
        let stopped = all.first { $0.containerID == container.id && $0.containerEventType == .containerStoppedEvent }
        let status = stopped?.containersStatuses.first { $0.id == container.id }
        try equal(status?.state, .containerExited, "state in the event that it stopped")
        try equal(status?.metadata, container.config.metadata, "metadata")
        try expect(status?.finishedAt ?? 0 > 0, "no finished_at in \(String(describing: status))")
    },
]

/// A container's life, and all events of its pod up to the container's DELETED.
private func wholeLife(_ trial: Trial) async throws -> (Container, [Event]) {
    let stream = try trial.subject.stream(CRIMethods.getContainerEvents, .init(), timeout: .seconds(50))
    let hears = Flag()
    async let seen = events(stream, of: trial, hears)
    // A subscription has no acknowledgement: sandboxes are made until the first of them is heard of.
    while !hears.isSet { _ = try await trial.pod() }
    let container = try await trial.running()
    try await trial.stop(container)
    try await trial.remove(container)
    return (container, try await seen.filter { $0.podSandboxStatus.id == container.pod.id })
}

/// The events of the trial up to the first DELETED; `hears` is set by the first event, or the end.
private func events(_ stream: ResponseStream<Event>, of trial: Trial, _ hears: Flag) async throws -> [Event] {
    defer { hears.set() }
    var all: [Event] = []
    do {
        for try await event in stream {
            guard event.podSandboxStatus.labels["io.kubernetes.pod.uid"] == trial.mark else { continue }
            hears.set()
            all.append(event)
            if event.containerEventType == .containerDeletedEvent { return all }
        }
    } catch {
        if error.code == .unimplemented { throw skip("not in this version: GetContainerEvents") }
        throw fail("GetContainerEvents: \(error)")
    }
    throw fail("the stream ended")
}

private final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
