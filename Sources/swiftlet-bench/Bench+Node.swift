import CLICore
import CRIProto
import Foundation
import GRPC
import SwiftProtobuf

/// What a full node costs: the calls of a kubelet that polls, statistics, events, and doing nothing.
extension Bench {
    private static let idleSeconds = 10
    private static let statisticsRounds = 20
    /// Rounds of one statistics call end after this time; one call of a peer may take half a minute.
    private static let statisticsTime = Duration.seconds(30)
    private static let ends = 20

    /// Pods on the node's own network: the same work without any plugin, so that only runtimes differ.
    func crowdWithoutPlugins(_ subject: Subject) async throws {
        let up = ContinuousClock.now
        let pods = try await each(Array(1...plan.pods)) { number in
            var workload = workload(subject, "n\(number)")
            workload.usesHostNetwork = true
            return try await runWhole(subject, workload).pod
        }
        subject.record((ContinuousClock.now - up).milliseconds, "\(plan.pods) pods up without plugins, 10 at a time")
        try await takeDown(subject, pods)
    }

    /// Measures a node that is full of running pods.
    func fullNode(_ subject: Subject, _ pods: [(pod: String, container: String)]) async throws {
        let count = "\(plan.pods) pods"
        for round in 0..<100 {
            let one = pods[round % pods.count]
            let listed = try await subject.measure(
                CRIMethods.listPodSandbox, .init(), as: "ListPodSandbox, \(count)"
            ).response
            guard listed.items.count >= pods.count else {
                throw Failure("\(subject.runtimeName) lists \(listed.items.count) pods instead of \(pods.count)")
            }
            _ = try await subject.measure(CRIMethods.listContainers, .init(), as: "ListContainers, \(count)")
            _ = try await subject.measure(
                CRIMethods.podSandboxStatus, .with { $0.podSandboxID = one.pod }, as: "PodSandboxStatus, \(count)")
            _ = try await subject.measure(
                CRIMethods.containerStatus, .with { $0.containerID = one.container }, as: "ContainerStatus, \(count)")
        }
        try await statistics(subject, CRIMethods.listContainerStats, pods.count) { $0.stats.count }
        try await statistics(subject, CRIMethods.listPodSandboxStats, pods.count) { $0.stats.count }
        try await statistics(subject, CRIMethods.listPodSandboxMetrics, pods.count) { $0.podMetrics.count }
        try await idle(subject)
        try await events(subject)
    }

    /// The time and the processor time of a call; a runtime that lacks it has no row.
    private func statistics<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ subject: Subject, _ method: CRIMethod<Request, Response>, _ expected: Int, count: (Response) -> Int
    ) async throws {
        let name = "\(method.name), \(plan.pods) pods"
        let before = subject.settings.memory.processorSeconds()
        var answered = 0
        var rounds = 0
        let begin = ContinuousClock.now
        do {
            while rounds < Self.statisticsRounds, begin.duration(to: .now) < Self.statisticsTime {
                answered = count(try await subject.measure(method, .init(), as: name).response)
                rounds += 1
            }
        } catch let failure as Failure {
            return note("\(subject.runtimeName): \(failure)")
        }
        if answered < expected { note("\(subject.runtimeName): \(method.name) has \(answered) of \(expected)") }
        if rounds < Self.statisticsRounds {
            note("\(subject.runtimeName): \(method.name) was called \(rounds) times only")
        }
        guard let before, let after = subject.settings.memory.processorSeconds() else { return }
        subject.record((after - before) * 1000 / Double(rounds), name + ", CPU")
    }

    /// What daemon and shims use while nobody asks for anything.
    private func idle(_ subject: Subject) async throws {
        guard let before = subject.settings.memory.processorSeconds() else { return }
        try await Task.sleep(for: .seconds(Self.idleSeconds))
        guard let after = subject.settings.memory.processorSeconds() else { return }
        subject.record(
            (after - before) * 100 / Double(Self.idleSeconds), "idle, \(plan.pods) pods", unit: "% of a core")
    }

    /// From the end of a container's process, as its status says it, to the event of it.
    private func events(_ subject: Subject) async throws {
        let client = try await GRPCClient(unixPath: subject.settings.endpoint.path)
        do {
            try await events(subject, client)
        } catch let status as GRPCStatus {
            note("\(subject.runtimeName): no events: \(status.message)")
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private func events(_ subject: Subject, _ client: GRPCClient) async throws {
        let stream: ResponseStream<Runtime_V1_ContainerEventResponse> = try client.serverStream(
            CRIMethods.getContainerEvents.path, Runtime_V1_GetEventsRequest(), timeout: .seconds(60))
        async let ends = delays(of: stream)
        var workload = workload(subject, "ends")
        workload.command = ["sh", "-c", "exit 0"]
        workload.usesHostNetwork = true
        let pod = try await subject.call(CRIMethods.runPodSandbox, runRequest(subject, workload)).podSandboxID
        for number in 1...Self.ends {
            let request = createRequest(workload, in: pod, number: number)
            let container = try await subject.call(CRIMethods.createContainer, request).containerID
            _ = try await subject.call(CRIMethods.startContainer, .with { $0.containerID = container })
            while try await subject.call(CRIMethods.containerStatus, .with { $0.containerID = container }).status.state
                != .containerExited
            {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        try await takeDown(subject, [pod])
        for delay in try await ends { subject.record(delay, "event after the end, \(plan.pods) pods") }
    }

    /// Milliseconds between each end and its event, for the first ends of containers that this run made.
    private func delays(of stream: ResponseStream<Runtime_V1_ContainerEventResponse>) async throws -> [Double] {
        var delays: [Double] = []
        for try await event in stream where event.containerEventType == .containerStoppedEvent {
            let now = Date().timeIntervalSince1970 * 1000
            guard event.podSandboxStatus.labels[Self.label] == runID,
                let status = event.containersStatuses.first(where: { $0.id == event.containerID }),
                status.finishedAt > 0
            else { continue }
            delays.append(now - Double(status.finishedAt) / 1e6)
            if delays.count == Self.ends { break }
        }
        return delays
    }
}
