import CZlib

/// Compresses header blocks, one after the other, with the state that all blocks of one direction share.
@safe struct HeaderDeflater: ~Copyable {
    // As in `HeaderInflater`.
    private let stream: UnsafeMutablePointer<z_stream>

    /// The smallest window that holds the dictionary, and the smallest hash table: 9 KiB a session instead of 256.
    private static let windowBits: Int32 = 11
    private static let memoryLevel: Int32 = 1

    init() throws(SPDYError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let result = unsafe deflateInit2_(
            stream, Z_BEST_SPEED, Z_DEFLATED, Self.windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            unsafe stream.deallocate()
            throw SPDYError("make zlib compressor: \(result)")
        }
        let bytes = HeaderDictionary.bytes
        // zlib copies the dictionary; the only failures are a bad state and a null pointer.
        unsafe bytes.withUnsafeBufferPointer {
            _ = unsafe deflateSetDictionary(stream, $0.baseAddress, UInt32(clamping: $0.count))
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Compresses one block, up to a byte boundary (Z_SYNC_FLUSH), so that it can be decompressed by itself.
    mutating func deflate(_ input: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1024)
        var done = 0
        repeat {
            // As in `HeaderInflater.step`.
            let (consumed, produced) = unsafe input.withUnsafeBufferPointer { source in
                unsafe piece.withUnsafeMutableBufferPointer { target in
                    unsafe stream.pointee.next_in = source.baseAddress.map {
                        unsafe UnsafeMutablePointer(mutating: $0 + done)
                    }
                    unsafe stream.pointee.avail_in = UInt32(clamping: source.count - done)
                    unsafe stream.pointee.next_out = target.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(clamping: target.count)
                    // Z_BUF_ERROR says that there was nothing left to flush.
                    _ = unsafe CZlib.deflate(stream, Z_SYNC_FLUSH)
                    let consumed = unsafe source.count - done - Int(stream.pointee.avail_in)
                    let produced = unsafe target.count - Int(stream.pointee.avail_out)
                    unsafe stream.pointee.next_in = nil
                    unsafe stream.pointee.next_out = nil
                    return (consumed, produced)
                }
            }
            done += consumed
            output += piece[..<produced]
            if produced < piece.count { break }
        } while true
        return output
    }
}
