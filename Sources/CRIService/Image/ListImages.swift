import CRIProto
import Model
import SwiftProtobuf

extension CRIService {
    func listImages(_ request: Runtime_V1_ListImagesRequest) async throws -> Runtime_V1_ListImagesResponse {
        let found = try await selected(request.hasFilter ? request.filter : nil)
        return .with { $0.images = found.map(Present.image) }
    }

    /// With a filter: the one image that it names, or none.
    func selected(_ filter: Runtime_V1_ImageFilter?) async throws -> [ImageSummary] {
        guard let filter, filter.hasImage, !filter.image.image.isEmpty else { return try await images.list() }
        try Check.text(filter.image.image, "filter.image.image", bytesMax: 1024)
        return try await images.image(filter.image.image).map { [$0] } ?? []
    }
}

extension Present {
    static func image(_ image: ImageSummary) -> Runtime_V1_Image {
        .with { message in
            message.id = image.id
            message.repoTags = image.repoTags
            message.repoDigests = image.repoDigests
            message.size = image.sizeBytes
            if let uid = image.uid { message.uid = .with { $0.value = uid } }
            message.username = image.username
            message.spec = .with { $0.image = image.id }
            message.pinned = image.isPinned
        }
    }
}
