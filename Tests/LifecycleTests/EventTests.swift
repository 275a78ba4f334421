import Lifecycle
import Model
import Synchronization
import TestFakes
import Testing

@Suite("Events", .timeLimit(.minutes(5)))
struct EventTests {
    @Test("the life of a pod and its container is told in order, each event with what both looked like then")
    func life() async throws {
        let bench = Bench()
        let events = bench.runtime.inventory.events
        let subscription = try events.subscribe()
        let (pod, container) = try await bench.runContainer()
        try await bench.runtime.stopContainer(container.text, timeout: .seconds(10))
        try await bench.runtime.removeContainer(container.text)
        try await bench.runtime.stopPod(pod.text)
        try await bench.runtime.removePod(pod.text)
        let all = try await subscription.next()
        #expect(
            all.map { "\($0.subject == pod.text ? "pod" : "container") \($0.kind)" } == [
                "pod created", "pod started", "container created", "container started", "container stopped",
                "container deleted", "pod stopped", "pod deleted",
            ])
        #expect(all.allSatisfy { $0.subject == pod.text || $0.subject == container.text })
        #expect(all.map(\.at) == all.map(\.at).sorted() && Set(all.map(\.at)).count == all.count)
        #expect(all.allSatisfy { $0.pod?.record.id == pod })
        #expect(all.map { $0.pod?.isReady } == [true, true, true, true, true, true, false, false])
        #expect(all.map(\.containers.count) == [0, 0, 1, 1, 1, 0, 0, 0])
        #expect(all[2].containers[0].state == .created)
        #expect(all[3].containers[0].state.isRunning)
        #expect(all[4].containers[0].exit?.code == 143)
        events.end(subscription)
        #expect(events.subscribers == 0)
    }

    @Test("a start that fails ends the container; a failed creation is no event")
    func failures() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        let subscription = try bench.runtime.inventory.events.subscribe()
        bench.node.state.withLock {
            $0.onStep = { _, name in if name == "makeContainer" { throw Fault.internal("no") } }
        }
        await #expect(throws: Fault.self) {
            try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
        }
        bench.node.state.withLock { $0.onStep = { _, name in if name == "launch" { throw Fault.internal("no") } } }
        let id = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
        await #expect(throws: Fault.self) { try await bench.runtime.startContainer(id.text) }
        let all = try await subscription.next()
        #expect(all.map(\.kind) == [.created, .stopped])
        #expect(all[1].containers.first?.exit?.reason == "StartError")
    }

    @Test("who reads gets every event, in order; who does not is ended and costs nothing more")
    func slowReader() async throws {
        let bench = Bench()
        let events = bench.runtime.inventory.events
        let (slow, fast) = (try events.subscribe(), try events.subscribe())
        let pod = try await bench.runPod()
        var seen = try await fast.next().count
        let pairs = EventSubscription.waitingMax / 2 + 10
        for number in 0..<pairs {
            let id = try await bench.runtime.createContainer(
                inPod: pod.text, config: Bench.container("c\(number)"))
            try await bench.runtime.removeContainer(id.text)
            let two = try await fast.next()
            #expect(two.map(\.kind) == [.created, .deleted] && two.allSatisfy { $0.subject == id.text })
            seen += two.count
        }
        #expect(seen == 2 + 2 * pairs)
        #expect(events.subscribers == 1)
        #expect(events.cutOff == 1 && events.dropped == UInt64(EventSubscription.waitingMax + 1))
        await #expect {
            _ = try await slow.next()
        } throws: { error in
            let fault = error as? Fault
            return fault?.code == .resourceExhausted && fault?.message.contains("1024 events behind") == true
        }
    }

    @Test("a client that leaves ends its waiting, and the daemon's end ends all of it")
    func ends() async throws {
        let events = Bench().runtime.inventory.events
        let first = try events.subscribe()
        let waiting = Task { try await first.next() }
        waiting.cancel()
        await #expect(throws: Fault(.cancelled, "get container events: the client has left")) {
            try await waiting.value
        }
        let second = try events.subscribe()
        events.close()
        await #expect(throws: Fault.self) { try await second.next() }
        #expect(throws: Fault.self) { try events.subscribe() }
        #expect(events.subscribers == 0)
    }

    @Test("only so many clients wait at once")
    func bound() throws {
        let events = Bench().runtime.inventory.events
        let all = try (0..<EventHub.subscribersMax).map { _ in try events.subscribe() }
        #expect {
            _ = try events.subscribe()
        } throws: { ($0 as? Fault)?.code == .resourceExhausted }
        events.end(all[0])
        _ = try events.subscribe()
    }

    @Test("an end that no daemon saw is told to those who come, once, and not by the daemon after")
    func recovery() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        let known = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container("known"))
        try await bench.runtime.startContainer(known.text)
        await bench.node.end(pod, process: known.text, code: 1)
        // A daemon that hears nothing: the supervisor keeps the exit.
        let deaf = Bench(node: FakeNode())
        bench.node.deliver(to: deaf.runtime)
        await bench.node.end(pod, process: id.text, code: 42)
        let (after, _) = try await RecoveryTests.restart(bench.node)
        for _ in 0..<2 {
            let events = try await after.runtime.inventory.events.subscribe().next()
            #expect(events.map(\.kind) == [.stopped] && events.map(\.subject) == [id.text])
            #expect(events[0].containers.first { $0.record.id == id }?.exit?.code == 42)
            #expect(events[0].pod?.record.id == pod && events[0].containers.count == 2)
        }
        let (later, _) = try await RecoveryTests.restart(bench.node)
        #expect(try later.container(id)?.exit?.code == 42)
        let subscription = try later.runtime.inventory.events.subscribe()
        try await later.runtime.removePod(pod.text)
        #expect(try await subscription.next().allSatisfy { $0.kind != .stopped || $0.subject == pod.text })
    }

    @Test("a pod that was lost with its containers while no daemon ran is told with them")
    func lost() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        bench.node.state.withLock { $0.supervisors = [:] }
        let (after, _) = try await RecoveryTests.restart(bench.node)
        let events = try await after.runtime.inventory.events.subscribe().next()
        #expect(events.map(\.subject) == [id.text, pod.text] && events.allSatisfy { $0.kind == .stopped })
        #expect(events.allSatisfy { $0.pod?.isReady == false })
    }
}
