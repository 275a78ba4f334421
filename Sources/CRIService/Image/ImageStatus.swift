import CRIProto
import Model
import SwiftProtobuf

extension CRIService {
    /// An image that is not here is no error: the answer has none.
    func imageStatus(_ request: Runtime_V1_ImageStatusRequest) async throws -> Runtime_V1_ImageStatusResponse {
        let spec = try Check.present(request.hasImage, request.image, "image")
        try Translate.image(spec, "image")
        guard let image = try await images.image(spec.image) else { return Runtime_V1_ImageStatusResponse() }
        return .with { response in
            response.image = Present.image(image)
            if request.verbose { response.info = ["config": image.configurationJSON] }
        }
    }
}
