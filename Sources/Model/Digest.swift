/// The name of content by its hash: `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits (OCI
/// image-spec, descriptor.md).
///
/// Nothing else is ever a digest, so a value of this type may be part of a file name or a URL.
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    package enum Algorithm: String, Sendable, CaseIterable {
        case sha256, sha512

        /// How many hexadecimal digits a hash of this kind has.
        package var digitCount: Int {
            switch self {
            case .sha256: 64
            case .sha512: 128
            }
        }
    }

    package let algorithm: Algorithm
    /// The hexadecimal digits after the colon.
    package let hex: String

    /// Nil where `text` is not exactly an algorithm, a colon and its number of lower-case hexadecimal digits.
    package init?(_ text: String) {
        guard let colon = text.utf8.firstIndex(of: 0x3a), let algorithm = Algorithm(rawValue: String(text[..<colon]))
        else {
            return nil
        }
        self.init(algorithm, hex: String(text[text.utf8.index(after: colon)...]))
    }

    /// Nil where `hex` is not the algorithm's number of lower-case hexadecimal digits.
    package init?(_ algorithm: Algorithm, hex: String) {
        guard hex.utf8.count == algorithm.digitCount, hex.utf8.allSatisfy(Self.isDigit) else { return nil }
        self.algorithm = algorithm
        self.hex = hex
    }

    package var description: String { "\(algorithm.rawValue):\(hex)" }
    package static func < (a: Self, b: Self) -> Bool { a.description < b.description }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = Digest(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a sha256 or sha512 digest")
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
