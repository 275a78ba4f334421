import CRIProto
import SwiftProtobuf

extension CRIService {
    func imageFsInfo(_ request: Runtime_V1_ImageFsInfoRequest) async throws -> Runtime_V1_ImageFsInfoResponse {
        let usage = try await images.usage()
        return .with { response in
            response.imageFilesystems = [Self.message(usage.images)]
            response.containerFilesystems = [Self.message(usage.containers)]
        }
    }

    private static func message(_ use: FilesystemUse) -> Runtime_V1_FilesystemUsage {
        .with { message in
            message.timestamp = use.timestamp
            message.fsID = .with { $0.mountpoint = use.mountpoint }
            message.usedBytes = .with { $0.value = use.usedBytes }
            message.inodesUsed = .with { $0.value = use.inodesUsed }
        }
    }
}
