/// Marks and numbers that never change.
package enum Wire {
    /// Version of the messages that this program writes; it reads every version from 1 on, for fields are only appended.
    package static let version: UInt16 = 1
    /// First four bytes of a datagram: "SWLW".
    package static let frameMagic: UInt32 = 0x574c_5753
    /// First four bytes of a plan: "SWLP".
    package static let planMagic: UInt32 = 0x504c_5753
    /// First four bytes of an exit record file: "SWLX".
    package static let exitMagic: UInt32 = 0x584c_5753

    /// Whether bytes can name a process: 1 to 128 letters, digits, `.`, `_` or `-`, and no `.` first, since files are named so.
    package static func isName(_ bytes: Bytes) -> Bool {
        guard let first = bytes.first, first != 0x2e, bytes.count <= WireLimits.nameBytes else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
            default: false
            }
        }
    }

    /// CRC-32C (Castagnoli, RFC 3720 appendix B.4), bit by bit: exit records are short.
    package static func checksum(_ bytes: Bytes) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 0 ? 0 : 0x82f6_3b78) }
        }
        return ~crc
    }
}
