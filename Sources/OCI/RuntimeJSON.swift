import FoundationEssentials

/// Why a `config.json` or a seccomp profile was not accepted.
package enum RuntimeFormatError: Error, Equatable, Sendable, CustomStringConvertible {
    case tooLarge(what: String, bytesMax: Int)
    case malformed(what: String, reason: String)

    package var description: String {
        switch self {
        case .tooLarge(let what, let bytesMax): "read \(what): it is larger than \(bytesMax) bytes"
        case .malformed(let what, let reason): "read \(what): \(reason)"
        }
    }
}

/// The runtime-spec's documents as JSON: bounded when read, the same bytes for the same value when written.
package enum RuntimeJSON {
    /// A specification with thousands of mounts and environment variables stays below this.
    package static let bytesMax = 16 * 1024 * 1024

    /// Decodes one document; `what` names it in errors.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], what: String, bytesMax: Int = RuntimeJSON.bytesMax
    ) throws(RuntimeFormatError) -> Value {
        guard bytes.count <= bytesMax else { throw .tooLarge(what: what, bytesMax: bytesMax) }
        var scan = JSONScan(bytes: bytes)
        if let problem = scan.problem() { throw .malformed(what: what, reason: problem) }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw .malformed(what: what, reason: Self.sentence(error))
        } catch {
            throw .malformed(what: what, reason: "it is not JSON")
        }
    }

    /// Encodes a value with its keys in order.
    package static func encode(
        _ value: some Encodable, what: String, pretty: Bool = false
    ) throws(RuntimeFormatError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw .malformed(what: what, reason: "it cannot be written as JSON")
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        func place(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.prefix(8).map {
                $0.intValue.map(String.init) ?? String($0.stringValue.prefix(64))
            }
            return keys.isEmpty ? "the document" : "\"\(keys.joined(separator: "."))\""
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(place(context)) has no \"\(key.stringValue)\""
        case .valueNotFound(_, let context): return "\(place(context)) is null"
        case .typeMismatch(_, let context): return "\(place(context)) has the wrong type"
        case .dataCorrupted(let context):
            return "\(place(context)) is not valid: \(context.debugDescription.prefix(200))"
        @unknown default: return "it cannot be decoded"
        }
    }
}
