import CLICore
import CRIProto
import SwiftProtobuf

extension Bench {
    /// Memory of the daemon with nothing of ours in it.
    func idleMemory(_ subject: Subject) {
        guard let kibibytes = subject.settings.memory.daemonKibibytes() else { return }
        subject.record(Double(kibibytes) / 1024, "daemon PSS, idle", unit: "MiB")
    }

    /// Makes many pods at once, measures memory, and takes them away.
    func crowd(_ subject: Subject) async throws {
        let before = subject.settings.memory.shims()
        let up = ContinuousClock.now
        let pods = try await each(Array(1...plan.pods)) { number in
            try await runWhole(subject, workload(subject, "m\(number)"))
        }
        subject.record((ContinuousClock.now - up).milliseconds, "\(plan.pods) pods up, 10 at a time")
        if let kibibytes = subject.settings.memory.daemonKibibytes() {
            subject.record(Double(kibibytes) / 1024, "daemon PSS, \(plan.pods) pods", unit: "MiB")
        }
        if let shims = subject.settings.memory.shims(), shims.count > 0 {
            let made = max(1, shims.count - (before?.count ?? 0))
            subject.record(
                Double(shims.kibibytes - (before?.kibibytes ?? 0)) / Double(made), "PSS per pod", unit: "KiB")
        }
        if plan.measuresNode { try await fullNode(subject, pods) }
        let down = ContinuousClock.now
        try await takeDown(subject, pods.map(\.pod))
        subject.record((ContinuousClock.now - down).milliseconds, "\(plan.pods) pods down, 10 at a time")
    }

    /// A pod with one running container.
    func runWhole(_ subject: Subject, _ workload: Workload) async throws -> (pod: String, container: String) {
        let pod = try await subject.call(CRIMethods.runPodSandbox, runRequest(subject, workload)).podSandboxID
        let request = createRequest(workload, in: pod)
        let container = try await subject.call(CRIMethods.createContainer, request).containerID
        _ = try await subject.call(CRIMethods.startContainer, .with { $0.containerID = container })
        return (pod, container)
    }

    func takeDown(_ subject: Subject, _ pods: [String]) async throws {
        _ = try await each(pods) { pod in
            _ = try await subject.call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = pod })
            _ = try await subject.call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = pod })
        }
    }

    /// Pulls an image some times, each time into a store without it.
    func pull(_ subject: Subject, _ image: String) async throws {
        for _ in 0..<plan.pulls {
            _ = try await subject.call(CRIMethods.removeImage, .with { $0.image.image = image })
            _ = try await subject.measure(CRIMethods.pullImage, .with { $0.image.image = image })
        }
        let status = try await subject.call(CRIMethods.imageStatus, .with { $0.image.image = image })
        if let median = subject.samples["PullImage"]?.median, median > 0, status.image.size > 0 {
            subject.record(Double(status.image.size) / 1000 / median, "PullImage, image bytes", unit: "MB/s")
        }
    }

    /// Ten at a time; all that were begun are waited for before the first failure is thrown.
    func each<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Value
    ) async throws -> [Value] {
        let results = await inParallel(items, limit: 10) { item -> Result<Value, any Error> in
            do { return .success(try await body(item)) } catch { return .failure(error) }
        }
        return try results.map { try $0.get() }
    }
}
