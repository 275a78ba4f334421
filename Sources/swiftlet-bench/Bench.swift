import CLICore
import CRIProto
import FoundationEssentials
import SwiftProtobuf

/// What one run of the program shares: the name under which it makes things, and how it makes and removes them.
struct Bench: Sendable {
    /// The label by which everything of this run is found again.
    static let label = "swiftlet-bench"

    let runID: String
    let plan: Plan
    let console: Console

    /// How much is measured.
    struct Plan: Sendable {
        var iterations: Int
        var listed: Int
        var calls: Int
        var pods: Int
        var pulls: Int
        var pullImage: String?
        var sleepCommand: [String]
        var execCommand: [String]
        /// Below it every pod has a cgroup parent of its own; empty leaves that to the runtime.
        var cgroupParent: String
        /// The floor's command; empty runs none.
        var floor: [String]
        /// Whether the pods that are up at once are measured as a full node, too.
        var measuresNode: Bool
        /// Streams, logs and probes; nil measures none.
        var streams: StreamPlan?
    }

    func note(_ text: String) {
        do { try console.err("bench: \(text)\n") } catch { return }
    }

    // MARK: - Pods and containers

    func workload(_ subject: Subject, _ number: String) -> Workload {
        var workload = Workload(
            name: "bench-\(runID)-\(number)", uid: "bench-\(runID)-\(number)", image: subject.settings.image)
        workload.command = plan.sleepCommand
        workload.labels = [Self.label: runID]
        return workload
    }

    func runRequest(_ subject: Subject, _ workload: Workload) -> Runtime_V1_RunPodSandboxRequest {
        .with {
            $0.config = workload.pod
            $0.config.linux.cgroupParent = cgroupParent(workload)
            $0.runtimeHandler = subject.settings.handler
        }
    }

    /// A container of a pod; `number` tells those of one pod apart.
    func createRequest(_ workload: Workload, in pod: String, number: Int = 0) -> Runtime_V1_CreateContainerRequest {
        .with {
            $0.podSandboxID = pod
            $0.config = workload.container
            if number > 0 { $0.config.metadata.name += "-\(number)" }
            $0.sandboxConfig = workload.pod
            $0.sandboxConfig.linux.cgroupParent = cgroupParent(workload)
        }
    }

    private func cgroupParent(_ workload: Workload) -> String {
        plan.cgroupParent.isEmpty ? "" : plan.cgroupParent + "/" + workload.name
    }

    /// Pulls the image of a subject if it is missing.
    func prepare(_ subject: Subject) async throws {
        let name = subject.settings.image
        let status = try await subject.call(CRIMethods.imageStatus, .with { $0.image.image = name })
        guard !status.hasImage else { return }
        note("pulling \(name) into \(subject.runtimeName)")
        _ = try await subject.call(CRIMethods.pullImage, .with { $0.image.image = name })
    }

    /// Removes every pod that this run made; called at the end whatever happened, so it looks at no interruption.
    func cleanUp(_ subject: Subject) async throws {
        let filter = Runtime_V1_ListPodSandboxRequest.with { $0.filter.labelSelector = [Self.label: runID] }
        let connection = subject.connection
        let pods = try await connection.call(
            CRIMethods.listPodSandbox, filter, within: .seconds(60), to: "list what is to be removed"
        ).items
        let failures = await inParallel(pods.map(\.id), limit: 4) { id -> String? in
            do {
                _ = try await connection.call(
                    CRIMethods.stopPodSandbox, .with { $0.podSandboxID = id }, within: .seconds(300),
                    to: "stop pod \(id)")
                _ = try await connection.call(
                    CRIMethods.removePodSandbox, .with { $0.podSandboxID = id }, within: .seconds(300),
                    to: "remove pod \(id)")
                return nil
            } catch {
                return "\(error)"
            }
        }
        if let failure = failures.compactMap({ $0 }).first { throw Failure("clean up: \(failure)") }
    }
}
