import Crypto
import Model

extension Model.Digest {
    /// The digest of bytes in memory.
    static func of(_ bytes: [UInt8], _ algorithm: Algorithm) -> Model.Digest {
        let digest =
            switch algorithm {
            case .sha256: Model.Digest(.sha256, hex: hex(SHA256.hash(data: bytes)))
            case .sha512: Model.Digest(.sha512, hex: hex(SHA512.hash(data: bytes)))
            }
        guard let digest else { preconditionFailure("a hash has as many digits as its algorithm says") }
        return digest
    }

    private static func hex(_ hash: some Sequence<UInt8>) -> String {
        hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
