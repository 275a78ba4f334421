import GRPC
import Model

extension Daemon {
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
