import CRIProto
import SwiftProtobuf

extension CRIService {
    func imageFsInfo(_ request: Runtime_V1_ImageFsInfoRequest) async throws -> Runtime_V1_ImageFsInfoResponse {
        let usage = try await images.usage()
        return .with { response in
            response.imageFilesystems = [Present.filesystem(usage.images)]
            response.containerFilesystems = [Present.filesystem(usage.containers)]
        }
    }
}
