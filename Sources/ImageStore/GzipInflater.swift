import CInflate

/// Decompresses gzip (RFC 1952) with ISA-L, member after member, checking each one's CRC and length.
///
/// The one file of this target with unsafe code: ISA-L works on pointers.
@safe struct GzipInflater: ~Copyable {
    enum Failure: Error {
        /// Not gzip, damaged, or followed by something else.
        case corrupt
    }

    // Allocated in `init`, freed in `deinit`, and lent to ISA-L only during a call.
    private let state: UnsafeMutablePointer<inflate_state>
    private var output: [UInt8]
    /// Between two members; at the very start too, so that an empty stream is an error.
    private var isAtEnd = false

    static let outputBytes = 256 * 1024

    init() {
        unsafe state = .allocate(capacity: 1)
        output = [UInt8](repeating: 0, count: Self.outputBytes)
        unsafe isal_inflate_init(state)
        unsafe state.pointee.crc_flag = UInt32(ISAL_GZIP)
    }

    deinit { unsafe state.deallocate() }

    /// Decompresses `input` completely; `receive` gets the output in pieces.
    mutating func inflate(
        _ input: ArraySlice<UInt8>, _ receive: (ArraySlice<UInt8>) throws(ImageStoreError) -> Void
    ) throws(ImageStoreError) {
        var done = 0
        while done < input.count {
            if isAtEnd {
                unsafe isal_inflate_reset(state)
                unsafe state.pointee.crc_flag = UInt32(ISAL_GZIP)
                isAtEnd = false
            }
            repeat {
                let (consumed, produced) = try step(input.dropFirst(done))
                done += consumed
                if produced > 0 { try receive(output[..<produced]) }
                if produced < output.count { break }
            } while !isAtEnd
        }
    }

    /// Throws unless the stream ended with a complete member.
    func finish() throws(ImageStoreError) {
        guard isAtEnd else { throw .corruptContent("decompress layer: the gzip stream is cut off") }
    }

    /// One call of ISA-L.
    private mutating func step(_ input: ArraySlice<UInt8>) throws(ImageStoreError) -> (consumed: Int, produced: Int) {
        var result: Int32 = 0
        var consumed = 0
        var produced = 0
        // Both buffers outlive the call, ISA-L gets their true sizes, and it only reads the input.
        unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe state.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe state.pointee.avail_in = UInt32(clamping: source.count)
                unsafe state.pointee.next_out = target.baseAddress
                unsafe state.pointee.avail_out = UInt32(clamping: target.count)
                result = unsafe isal_inflate(state)
                consumed = unsafe Int(UInt32(clamping: source.count)) - Int(state.pointee.avail_in)
                produced = unsafe target.count - Int(state.pointee.avail_out)
                unsafe state.pointee.next_in = nil
                unsafe state.pointee.next_out = nil
            }
        }
        guard result >= 0 else { throw .corruptContent("decompress layer: the gzip stream is damaged") }
        isAtEnd = unsafe state.pointee.block_state == ISAL_BLOCK_FINISH
        guard consumed > 0 || produced > 0 || isAtEnd || input.isEmpty else {
            throw .corruptContent("decompress layer: the gzip stream does not go on")
        }
        return (consumed, produced)
    }
}
