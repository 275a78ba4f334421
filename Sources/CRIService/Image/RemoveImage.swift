import CRIProto
import Model

extension CRIService {
    /// Idempotent, and by one tag the image goes with all of its tags.
    func removeImage(_ request: Runtime_V1_RemoveImageRequest) async throws -> Runtime_V1_RemoveImageResponse {
        let spec = try Check.present(request.hasImage, request.image, "image")
        try Translate.image(spec, "image")
        try await images.remove(spec.image)
        return Runtime_V1_RemoveImageResponse()
    }
}
