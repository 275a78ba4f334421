import GRPC
import Model

extension Config {
    /// Where spans go; nil = nowhere.
    func tracingEndpoint() throws(Fault) -> ServerAddress? {
        let text = tracing.endpoint
        func wrong(_ why: String) -> Fault { .invalid("key \"tracing.endpoint\": \"\(text)\" \(why)") }
        let expected = "is no \"http://HOST:PORT\" and no \"unix:///PATH\""
        if text.isEmpty { return nil }
        if text.hasPrefix("https:") {
            throw wrong("asks for TLS, which is not supported; have a collector on this node pass spans on")
        }
        if text.hasPrefix("unix:") {
            var path = text.dropFirst("unix:".count)
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard path.hasPrefix("/"), !path.hasPrefix("//"), !path.utf8.contains(0) else { throw wrong(expected) }
            guard path.utf8.count <= 103 else { throw wrong("is longer than a socket path may be (103 bytes)") }
            return .unix(path: String(path))
        }
        guard text.hasPrefix("http://") else { throw wrong(expected) }
        var rest = text.dropFirst("http://".count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let (host, port) = Self.hostAndPort(rest) else { throw wrong(expected) }
        return .tcp(host: host, port: port)
    }

    /// OTLP over gRPC has port 4317 (OpenTelemetry Protocol, OTLP/gRPC Default Port).
    private static func hostAndPort(_ text: Substring) -> (String, Int)? {
        var host = text
        var port = 4317
        let afterBracket = text.lastIndex(of: "]").map { text.index(after: $0) } ?? text.startIndex
        if let colon = text[afterBracket...].lastIndex(of: ":") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
            (host, port) = (text[..<colon], number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.utf8.allSatisfy({ Self.isAddressByte($0) }) else { return nil }
        } else {
            guard host.utf8.allSatisfy({ Self.isNameByte($0) }) else { return nil }
        }
        guard (1...253).contains(host.utf8.count) else { return nil }
        return (String(host), port)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// An IPv6 address, with its zone maybe.
    private static func isAddressByte(_ byte: UInt8) -> Bool {
        isNameByte(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
    }
}
