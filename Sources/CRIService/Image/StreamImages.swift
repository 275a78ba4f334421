import CRIProto
import GRPC
import Model
import SwiftProtobuf

extension CRIService {
    /// The same answer as the list, an item a message, so that no limit of a message applies.
    func streamImages(
        _ request: Runtime_V1_StreamImagesRequest, _ writer: ResponseWriter<Runtime_V1_StreamImagesResponse>
    ) async throws {
        for image in try await selected(request.hasFilter ? request.filter : nil) {
            try await writer.write(.with { $0.images = [Present.image(image)] })
        }
    }
}
