/// What a container takes from its image.
package struct RuntimeImage: Sendable, Equatable, Codable {
    /// `sha256:...` of the image's configuration.
    package var id: String
    /// Layer directories, lowest first, as names relative to the layer store.
    package var layers: [String]
    package var entrypoint: [String] = []
    package var command: [String] = []
    /// Entries "NAME=value"; malformed ones were dropped.
    package var environment: [String] = []
    package var workingDirectory: String = ""
    package var user: String = ""
    /// Paths of the VOLUME instruction, validated as absolute and free of "..".
    package var volumes: [String] = []
    /// A name such as "SIGTERM" or a number; empty = not set.
    package var stopSignal: String = ""

    package init(id: String, layers: [String]) {
        self.id = id
        self.layers = layers
    }
}
