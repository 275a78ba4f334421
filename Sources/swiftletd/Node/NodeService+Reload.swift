import SwiftProtobuf
import SwiftletAPI

extension NodeService {
    /// `Reload`: the same as SIGHUP, with an answer.
    func reload(_ request: Swiftlet_V1_ReloadRequest) async throws -> Swiftlet_V1_ReloadResponse {
        let reloaded = try await reloading.run().get()
        return .with { ($0.applied, $0.needsRestart) = (reloaded.applied, reloaded.needsRestart) }
    }
}
