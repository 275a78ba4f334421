import CZlib

/// Decompresses header blocks, one after the other, with the state that all blocks of one direction share.
@safe struct HeaderInflater: ~Copyable {
    // Allocated in `init`, freed in `deinit`, and lent to zlib only during a call.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Output room of one call of zlib.
    private static let pieceBytes = 4096

    init() throws(SPDYError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let result = unsafe inflateInit2_(stream, MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        // zlib keeps nothing when it fails to begin.
        guard result == Z_OK else {
            unsafe stream.deallocate()
            throw SPDYError("make zlib decompressor: \(result)")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// The block that `input` holds; it is given up as soon as it has more than `max` bytes.
    mutating func inflate(_ input: [UInt8], max: Int) throws(SPDYError) -> [UInt8] {
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
        var done = 0
        while true {
            let (result, consumed, produced) = step(input, from: done, into: &piece)
            done += consumed
            output += piece[..<produced]
            guard output.count <= max else { throw SPDYError("header block has more than \(max) bytes") }
            switch result {
            case Z_NEED_DICT: try setDictionary()
            // Nothing to do is said this way too.
            case Z_OK, Z_BUF_ERROR:
                if produced == piece.count { continue }
                guard done == input.count else { throw SPDYError("header block does not decompress") }
                return output
            default: throw SPDYError("header block does not decompress: zlib \(result)")
            }
        }
    }

    private func step(_ input: [UInt8], from done: Int, into piece: inout [UInt8]) -> (Int32, Int, Int) {
        // Both buffers outlive the call, zlib gets their true sizes, and it only reads the input.
        unsafe input.withUnsafeBufferPointer { source in
            unsafe piece.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = source.baseAddress.map {
                    unsafe UnsafeMutablePointer(mutating: $0 + done)
                }
                unsafe stream.pointee.avail_in = UInt32(clamping: source.count - done)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(clamping: target.count)
                let result = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
                let consumed = unsafe source.count - done - Int(stream.pointee.avail_in)
                let produced = unsafe target.count - Int(stream.pointee.avail_out)
                unsafe stream.pointee.next_in = nil
                unsafe stream.pointee.next_out = nil
                return (result, consumed, produced)
            }
        }
    }

    private func setDictionary() throws(SPDYError) {
        let bytes = HeaderDictionary.bytes
        // zlib copies the dictionary.
        let result = unsafe bytes.withUnsafeBufferPointer {
            unsafe inflateSetDictionary(stream, $0.baseAddress, UInt32(clamping: $0.count))
        }
        guard result == Z_OK else { throw SPDYError("header block wants another dictionary") }
    }
}
