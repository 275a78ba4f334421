import CLICore
import CRIProto
import SwiftProtobuf

extension Bench {
    /// A pod with many containers, one of them running, for the calls that read.
    func fill(_ subject: Subject) async throws -> (pod: String, container: String) {
        let workload = workload(subject, "list")
        let pod = try await subject.call(CRIMethods.runPodSandbox, runRequest(subject, workload)).podSandboxID
        var first = ""
        for number in 1...max(plan.listed, 1) {
            let request = createRequest(workload, in: pod, number: number)
            let id = try await subject.call(CRIMethods.createContainer, request).containerID
            if number == 1 { first = id }
        }
        _ = try await subject.call(CRIMethods.startContainer, .with { $0.containerID = first })
        return (pod, first)
    }

    /// The calls that read, once each.
    func read(_ subject: Subject, _ filled: (pod: String, container: String)) async throws {
        _ = try await subject.measure(CRIMethods.version, .init())
        _ = try await subject.measure(CRIMethods.status, .init())
        let listed = try await subject.measure(
            CRIMethods.listContainers, .init(), as: "ListContainers of \(plan.listed)"
        ).response
        guard listed.containers.count >= plan.listed else {
            throw Failure(
                "\(subject.runtimeName) lists \(listed.containers.count) containers instead of \(plan.listed)")
        }
        _ = try await subject.measure(CRIMethods.listPodSandbox, .init())
        _ = try await subject.measure(CRIMethods.containerStatus, .with { $0.containerID = filled.container })
        _ = try await subject.measure(CRIMethods.podSandboxStatus, .with { $0.podSandboxID = filled.pod })
    }

    /// Calls of Version per second with some callers on one connection.
    func throughput(_ subject: Subject, callers: Int) async throws {
        let each = max(1, plan.calls / callers)
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<callers {
                group.addTask { for _ in 0..<each { _ = try await subject.call(CRIMethods.version, .init()) } }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let name = "Version, \(callers) caller\(callers == 1 ? "" : "s")"
        subject.record(Double(each * callers) / seconds, name, unit: "calls/s")
    }
}
