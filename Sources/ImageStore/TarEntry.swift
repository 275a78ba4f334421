/// One member of a tar archive, after its extended headers were applied.
struct TarEntry: Equatable {
    enum Kind: Equatable {
        case regular, directory, fifo
        case symlink(target: [UInt8])
        /// `target` is a path in the archive.
        case hardlink(target: [UInt8])
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
    }

    /// As written, except that it has no NUL.
    var path: [UInt8]
    var kind: Kind
    /// Bytes of content that follow; 0 for all but regular files.
    var size: Int64
    /// Permission bits with setuid, setgid and sticky.
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    var modifiedSeconds: Int64
    var modifiedNanoseconds: Int64
    var attributes: [Attribute] = []

    struct Attribute: Equatable {
        var name: [UInt8]
        var value: [UInt8]
    }
}

/// Who receives the members of an archive: an entry, its content in pieces, and the end of it.
protocol TarSink: ~Copyable {
    mutating func begin(_ entry: TarEntry) throws(ImageStoreError)
    mutating func content(_ bytes: ArraySlice<UInt8>) throws(ImageStoreError)
    mutating func end() throws(ImageStoreError)
}
