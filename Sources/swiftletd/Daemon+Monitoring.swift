import GRPC
import Lifecycle
import Model
import Seccomp

extension Daemon {
    /// What the numbers come from. Stages are counted only where somebody may read it.
    func monitoring(_ runtime: Runtime, _ sources: [(any MetricsSource)?]) -> MonitoringAnswers {
        guard !config.metrics.address.isEmpty else { return MonitoringAnswers(runtime: runtime, sources: []) }
        let stages = StageStatistics()
        runtime.operations.add(stages)
        return MonitoringAnswers(runtime: runtime, sources: [stages] + sources.compactMap { $0 })
    }

    /// Makes the compilation of a filter a stage of the operation that needs it.
    static let seccompWatch: SeccompCompiler.Watch = {
        let stage = StagePlace.current?.begin(.seccompFilter)
        return { instructions in
            stage?.end(failed: instructions == nil, detail: instructions.map { "\($0) instructions" } ?? "")
        }
    }

    /// Nil unless the configuration names an address. Served from before recovery on, so that its time is seen.
    func serveMonitoring(_ answers: MonitoringAnswers) async throws -> InspectServer? {
        guard let address = try config.metricsAddress() else { return nil }
        do throws(ListenError) {
            return try await InspectServer.start(on: address) { answers.answer(at: $0) }
        } catch {
            throw Fault.precondition("\(error)")
        }
    }
}
