/// The Castagnoli checksum (RFC 3720, section 12.1): it finds every flipped bit, every run of up to 32 damaged bits,
/// and all but one in four thousand million of other damage. It is no defence against someone who means it.
package enum CRC32C {
    /// Checksum of `bytes`, continuing from an earlier part's.
    package static func checksum(_ bytes: some Sequence<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
        var state = ~previous
        for byte in bytes { state = table[Int(truncatingIfNeeded: (state ^ UInt32(byte)) & 0xff)] ^ (state >> 8) }
        return ~state
    }

    private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
        var word = index
        for _ in 0..<8 { word = word & 1 == 1 ? (word >> 1) ^ 0x82f6_3b78 : word >> 1 }
        return word
    }
}
