/// What an image was built for (image-spec, image-index.md).
package struct ImagePlatform: Codable, Hashable, Sendable, CustomStringConvertible {
    package var os: String
    package var architecture: String
    package var variant: String?

    package init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }

    package var description: String { ([os, architecture] + (variant.map { [$0] } ?? [])).joined(separator: "/") }

    /// The platform that this program was built for.
    package static var host: ImagePlatform {
        #if arch(x86_64)
            ImagePlatform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            ImagePlatform(os: "linux", architecture: "arm64", variant: "v8")
        #else
            ImagePlatform(os: "linux", architecture: "unknown")
        #endif
    }

    /// How well an image of platform `image` runs here: 0 is best, nil is not at all.
    ///
    /// Fields that an image leaves empty match. A processor level of amd64 above v1 is not assumed.
    package func preference(for image: ImagePlatform) -> Int? {
        guard image.os.isEmpty || image.os == os else { return nil }
        let variant = image.variant ?? ""
        switch (architecture, image.architecture) {
        case (_, ""): return 100
        case ("amd64", "amd64"), ("amd64", "x86_64"): return ["", "v1"].firstIndex(of: variant)
        case ("arm64", "arm64"), ("arm64", "aarch64"): return ["v8", ""].firstIndex(of: variant)
        case ("arm64", "arm"): return ["v8", "v7", "", "v6", "v5"].firstIndex(of: variant).map { $0 + 10 }
        default: return architecture == image.architecture && (self.variant ?? "") == variant ? 0 : nil
        }
    }
}
