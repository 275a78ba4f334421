import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Events {}
}

extension WholeDaemon.Events {
    @Test func `ten clients are told of a pod's whole life`() async throws {
        let node = try Node.current
        let clients = try await Listeners(node, count: 10)
        let (pod, container) = try await node.withPod("life") { pod in
            let container = try await pod.run("sh", "-c", "exit 3")
            try await container.remove()
            return (pod.id, container.id)
        }
        for index in 0..<10 {
            let all = try await clients.events(at: index) {
                $0.containerID == pod && $0.containerEventType == .containerDeletedEvent
            }
            #expect(
                all.filter { $0.containerID == container }.map(\.containerEventType) == [
                    .containerCreatedEvent, .containerStartedEvent, .containerStoppedEvent, .containerDeletedEvent,
                ])
            #expect(
                all.filter { $0.containerID == pod }.map(\.containerEventType) == [
                    .containerCreatedEvent, .containerStartedEvent, .containerStoppedEvent, .containerDeletedEvent,
                ])
            let stopped = all.first {
                $0.containerID == container && $0.containerEventType == .containerStoppedEvent
            }
            #expect(stopped?.containersStatuses.map(\.exitCode) == [3])
            #expect(stopped?.podSandboxStatus.id == pod)
        }
        await clients.close()
    }

    @Test func `an end while the daemon is away is told to who asks after it`() async throws {
        let node = try Node.current
        try await node.withPod("unseen") { pod in
            let container = try await pod.start()
            let host = try node.hostProcess(try await container.process())
            try await node.endDaemon()
            #expect(kill(host, SIGKILL) == 0)
            try await eventually("the process ends") { !FileManager.default.fileExists(atPath: "/proc/\(host)") }
            try await node.startDaemon()
            let clients = try await Listeners(node, count: 1, probing: false)
            let all = try await clients.events(at: 0) { $0.containerID == container.id }
            #expect(all.last?.containerEventType == .containerStoppedEvent)
            #expect(all.last?.containersStatuses.first { $0.id == container.id }?.exitCode == 137)
            await clients.close()
        }
    }

    @Test func `a client that does not read is ended when it is too far behind, and nobody else`() async throws {
        let node = try Node.current
        let clients = try await Listeners(node, count: 2)
        // Large statuses fill the slow one's window soon; then a thousand events more are too many.
        let filler = String(repeating: "x", count: 16 << 10)
        try await node.withPod("flood", { $0.annotations["filler"] = filler }) { pod in
            for _ in 0..<700 {
                let container = try await pod.create(pod.containerConfig())
                try await container.remove()
                _ = try await clients.events(at: 1) {
                    $0.containerID == container.id && $0.containerEventType == .containerDeletedEvent
                }
            }
        }
        let end = try await clients.end(at: 0)
        #expect(end.status.code == .resourceExhausted && end.status.message.contains("events behind"), "\(end.status)")
        #expect(end.events > 0 && end.events < 1400)
        await clients.close()
    }

    @Test func `the daemon ends at once although clients wait for events`() async throws {
        let node = try Node.current
        let clients = try await Listeners(node, count: 1)
        try await node.endDaemon(SIGTERM)
        #expect(try await clients.end(at: 0).status.code == .unavailable)
        await clients.close()
        try await node.startDaemon()
    }
}

/// How many have heard nothing so far.
private final class Deaf: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    var count: Int { left.withLock { $0 } }

    func hear(_ stream: ResponseStream<Runtime_V1_ContainerEventResponse>) async throws {
        guard try await stream.makeAsyncIterator().next() != nil else { throw TestFailure("no stream") }
        left.withLock { $0 -= 1 }
    }
}

/// Connections that wait for events, each of its own.
private struct Listeners {
    typealias Event = Runtime_V1_ContainerEventResponse

    private let clients: [GRPCClient]
    private let streams: [ResponseStream<Event>]

    /// Returns when each of them hears, where that can be told: sandboxes are made until all have heard of one.
    init(_ node: Node, count: Int, probing: Bool = true) async throws {
        var clients: [GRPCClient] = []
        var streams: [ResponseStream<Event>] = []
        for _ in 0..<count {
            let client = try await GRPCClient(unixPath: node.socket)
            clients.append(client)
            streams.append(try client.serverStream(CRIMethods.getContainerEvents.path, Runtime_V1_GetEventsRequest()))
        }
        self.clients = clients
        self.streams = streams
        guard probing else { return }
        let deaf = Deaf(count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for stream in streams { group.addTask { try await deaf.hear(stream) } }
            for _ in 0..<200 where deaf.count > 0 {
                let pod = try await node.runPod(try node.podConfig("probe"))
                try await pod.remove()
            }
            try await group.waitForAll()
        }
    }

    /// The next events of a client up to the first for which `isLast` holds.
    func events(at index: Int, until isLast: (Event) -> Bool) async throws -> [Event] {
        var all: [Event] = []
        while let event = try await streams[index].makeAsyncIterator().next() {
            all.append(event)
            if isLast(event) { return all }
        }
        throw TestFailure("the stream ended")
    }

    /// How many events come until the stream ends, and how it ends.
    func end(at index: Int) async throws -> (events: Int, status: GRPCStatus) {
        var seen = 0
        do {
            while try await streams[index].makeAsyncIterator().next() != nil { seen += 1 }
        } catch {
            return (seen, error)
        }
        return (seen, .ok)
    }

    func close() async { for client in clients { await client.close() } }
}
