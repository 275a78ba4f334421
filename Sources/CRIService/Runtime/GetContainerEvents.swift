import CRIProto
import GRPC
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// Tells of every change of a pod or container until the client leaves, falls too far behind, or the daemon ends.
    func getContainerEvents(
        _ request: Runtime_V1_GetEventsRequest, _ writer: ResponseWriter<Runtime_V1_ContainerEventResponse>
    ) async throws {
        let events = runtime.inventory.events
        let subscription = try events.subscribe()
        defer { events.end(subscription) }
        // Headers tell the client that from now on it misses nothing.
        try await writer.start()
        while true {
            for event in try await subscription.next() { try await writer.write(Present.event(event)) }
        }
    }
}

extension Present {
    static func event(_ event: LifecycleEvent) -> Runtime_V1_ContainerEventResponse {
        .with { message in
            message.containerID = event.subject
            message.createdAt = event.at
            switch event.kind {
            case .created: message.containerEventType = .containerCreatedEvent
            case .started: message.containerEventType = .containerStartedEvent
            case .stopped: message.containerEventType = .containerStoppedEvent
            case .deleted: message.containerEventType = .containerDeletedEvent
            }
            if let pod = event.pod { message.podSandboxStatus = status(pod) }
            message.containersStatuses = event.containers.map { status($0, in: event.pod) }
        }
    }
}
