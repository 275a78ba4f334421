import FoundationEssentials

/// Base64 as HTTP authentication and docker's configuration files write it (RFC 4648 section 4).
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// Nil where `text` is not base64; missing padding is forgiven.
    static func decode(_ text: String) -> [UInt8]? {
        let padding = (4 - text.utf8.count % 4) % 4
        return Data(base64Encoded: text + String(repeating: "=", count: padding)).map { Array($0) }
    }
}
