/// What a layer takes on disk, counted while it is written: files rounded up to blocks of 4 KiB, as file systems have
/// it.
struct LayerUsage: Sendable, Equatable, Codable {
    private(set) var bytes: Int64 = 0
    private(set) var inodes: Int64 = 0

    private static let block: Int64 = 4096

    /// A directory or a file, without its content.
    mutating func addInode(isDirectory: Bool = false) {
        inodes += 1
        if isDirectory { bytes += Self.block }
    }

    mutating func addContent(_ size: Int64) { bytes += (size + Self.block - 1) / Self.block * Self.block }

    static func + (a: LayerUsage, b: LayerUsage) -> LayerUsage {
        var sum = a
        sum.bytes += b.bytes
        sum.inodes += b.inodes
        return sum
    }
}
