import CRIProto
import Foundation
import GRPC
import Lifecycle
import SwiftProtobuf
import Synchronization
import TestFakes
import Testing

/// GetContainerEvents as a client sees it.
@Suite(.timeLimit(.minutes(5))) struct EventStreamTests {
    @Test("an event has what PodSandboxStatus and ContainerStatus answer at that time")
    func content() async throws {
        try await Fixture.run { fixture in
            let events = try fixture.events().makeAsyncIterator()
            try await fixture.awaitSubscribers(1)
            let pod = try await fixture.runPod()
            let created = try #require(try await events.next())
            #expect(created.containerID == pod && created.containerEventType == .containerCreatedEvent)
            #expect(created.createdAt > 0 && created.containersStatuses.isEmpty)
            let shown: Runtime_V1_PodSandboxStatusResponse = try await fixture.send(CRIMethods.podSandboxStatus) {
                $0.podSandboxID = pod
            }
            #expect(created.podSandboxStatus == shown.status)
            #expect(try await events.next()?.containerEventType == .containerStartedEvent)
            let id = try await fixture.container(in: pod, start: true)
            let types: [Runtime_V1_ContainerEventType] = [.containerCreatedEvent, .containerStartedEvent]
            for type in types {
                let event = try #require(try await events.next())
                #expect(event.containerID == id && event.containerEventType == type)
                let whole: Runtime_V1_PodSandboxStatusResponse = try await fixture.send(CRIMethods.podSandboxStatus) {
                    $0.podSandboxID = pod
                }
                #expect(whole.timestamp > event.createdAt && whole.containersStatuses.count == 1)
                let status: Runtime_V1_ContainerStatusResponse = try await fixture.send(CRIMethods.containerStatus) {
                    $0.containerID = id
                }
                #expect(whole.containersStatuses == [status.status])
                if type == .containerStartedEvent { #expect(event.containersStatuses == [status.status]) }
            }
            #expect(try await fixture.call("RemovePodSandbox", ["pod_sandbox_id": .string(pod)]).isOK)
            var kinds: [Runtime_V1_ContainerEventType] = []
            var last = Runtime_V1_ContainerEventResponse()
            while last.containerID != pod || last.containerEventType != .containerDeletedEvent {
                last = try #require(try await events.next())
                if last.containerID == id { kinds.append(last.containerEventType) }
            }
            #expect(kinds == [.containerStoppedEvent, .containerDeletedEvent])
            #expect(last.podSandboxStatus.id == pod && last.podSandboxStatus.state == .sandboxNotready)
        }
    }

    @Test("ten clients see the same; one that leaves frees its place; the end of the daemon ends the others")
    func clients() async throws {
        try await Fixture.run { fixture in
            let hub = fixture.runtime.inventory.events
            var streams = try (0..<10).map { _ in try fixture.events() }
            try await fixture.awaitSubscribers(10)
            _ = try await fixture.runPod()
            var seen: [[Runtime_V1_ContainerEventResponse]] = []
            for stream in streams {
                let iterator = stream.makeAsyncIterator()
                seen.append([try #require(try await iterator.next()), try #require(try await iterator.next())])
            }
            #expect(Set(seen.map { $0.map(\.createdAt) }).count == 1)
            #expect(
                seen.allSatisfy { $0.map(\.containerEventType) == [.containerCreatedEvent, .containerStartedEvent] })
            streams.removeLast(9)
            try await fixture.awaitSubscribers(1)
            hub.close()
            let last = streams[0].makeAsyncIterator()
            await #expect {
                _ = try await last.next()
            } throws: { ($0 as? GRPCStatus)?.code == .unavailable }
        }
    }
}

extension Fixture {
    func events() throws -> ResponseStream<Runtime_V1_ContainerEventResponse> {
        try client.serverStream(CRIMethods.getContainerEvents.path, Runtime_V1_GetEventsRequest())
    }

    /// The test's time limit ends a wait in vain.
    func awaitSubscribers(_ count: Int) async throws {
        while runtime.inventory.events.subscribers != count { try await Task.sleep(for: .milliseconds(1)) }
    }
}
