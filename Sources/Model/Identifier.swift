/// A 64-digit lower-case hexadecimal name of one object of one kind; `Kind` keeps pods and containers apart at compile time.
package struct Identifier<Kind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Nil where `text` is not exactly 64 lower-case hexadecimal digits.
    package init?(_ text: String) {
        guard text.utf8.count == 64, text.utf8.allSatisfy(Self.isDigit) else { return nil }
        self.text = text
    }

    /// A new identifier of 256 random bits.
    package static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        var digits: [UInt8] = []
        digits.reserveCapacity(64)
        for _ in 0..<4 {
            let word = generator.next()
            for shift in stride(from: 60, through: 0, by: -4) {
                let nibble = UInt8(truncatingIfNeeded: (word >> UInt64(shift)) & 0xf)
                digits.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
            }
        }
        return Self(unchecked: String(decoding: digits, as: UTF8.self))
    }

    /// The first 13 digits, as tables show it.
    package var short: String { String(text.prefix(13)) }
    package var description: String { text }
    package static func < (a: Self, b: Self) -> Bool { a.text < b.text }

    private init(unchecked text: String) { self.text = text }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
}

extension Identifier: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = Identifier(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not 64 lower-case hexadecimal digits"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

package enum PodKind {}
package enum ContainerKind {}
package typealias PodID = Identifier<PodKind>
package typealias ContainerID = Identifier<ContainerKind>
