/// What one image may cost this machine. Everything above is refused while it arrives (attack table A6).
package struct ImageLimits: Sendable, Equatable {
    /// Our own limit, well below what overlayfs takes.
    package static let layersMax = 127

    /// Bytes of all uncompressed layers together.
    package var bytesMax: Int64 = 20 << 30
    /// Uncompressed bytes for each compressed one, once a layer is larger than `ratioFreeBytes`.
    package var ratioMax: Int64 = 100
    package var ratioFreeBytes: Int64 = 64 << 20
    /// Files, directories and links of all layers together.
    package var inodesMax: Int64 = 2_000_000
    /// Environment, labels, command and the rest of what the daemon keeps in memory of an image.
    package var defaultsBytesMax = 1 << 20

    package init() {}
}
