import Crypto
import Model

/// A digest under computation.
struct ContentHash {
    private enum State {
        case sha256(SHA256)
        case sha512(SHA512)
    }
    private var state: State

    init(_ algorithm: Model.Digest.Algorithm) {
        switch algorithm {
        case .sha256: state = .sha256(SHA256())
        case .sha512: state = .sha512(SHA512())
        }
    }

    mutating func update(_ bytes: ArraySlice<UInt8>) {
        switch state {
        case .sha256(var hash):
            hash.update(data: bytes)
            state = .sha256(hash)
        case .sha512(var hash):
            hash.update(data: bytes)
            state = .sha512(hash)
        }
    }

    func finish() -> Model.Digest {
        let digest =
            switch state {
            case .sha256(let hash): Model.Digest(.sha256, hex: Self.hex(hash.finalize()))
            case .sha512(let hash): Model.Digest(.sha512, hex: Self.hex(hash.finalize()))
            }
        guard let digest else { preconditionFailure("a hash has as many digits as its algorithm says") }
        return digest
    }

    /// The digest of bytes in memory.
    static func of(_ bytes: [UInt8], _ algorithm: Model.Digest.Algorithm = .sha256) -> Model.Digest {
        var hash = ContentHash(algorithm)
        hash.update(bytes[...])
        return hash.finish()
    }

    private static func hex(_ hash: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
