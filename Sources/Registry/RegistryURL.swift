/// An http or https URL in the strict form that requests are made to. Whatever two parsers might read differently (user
/// information, backslashes, control characters) is not one.
package struct RegistryURL: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Sendable {
        case http, https
        var port: Int { self == .http ? 80 : 443 }
    }

    package let scheme: Scheme
    /// Lower case; an IPv6 address keeps its brackets.
    package let host: String
    package let port: Int
    /// Empty, or starting with a slash.
    package let path: String
    /// What follows the question mark.
    package let query: String?

    package init(scheme: Scheme, host: String, port: Int? = nil, path: String, query: String? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.port
        self.path = path
        self.query = query
    }

    /// Nil where `text` is not an absolute http or https URL.
    package init?(_ text: String) {
        guard text.utf8.count <= 8192,
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !Self.neverPlain.contains($0) })
        else {
            return nil
        }
        guard let colon = text.firstRange(of: "://"),
            let scheme = Scheme(rawValue: text[..<colon.lowerBound].lowercased())
        else {
            return nil
        }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let (host, port) = Self.split(authority: authority) else { return nil }
        let target = rest[authority.endIndex...]
        let path = target.prefix { $0 != "?" }
        let query = path.endIndex < target.endIndex ? String(target[target.index(after: path.endIndex)...]) : nil
        self.init(scheme: scheme, host: host, port: port, path: String(path), query: query)
    }

    /// Host and, unless it is the scheme's own, port.
    package var authority: String { port == scheme.port ? host : "\(host):\(port)" }
    package var description: String { "\(scheme.rawValue)://\(authority)\(path)\(query.map { "?\($0)" } ?? "")" }

    /// Scheme, host and port: what credentials are bound to (RFC 6454).
    var origin: RegistryURL { RegistryURL(scheme: scheme, host: host, port: port, path: "") }

    var isLoopback: Bool { Self.isLoopback(host) }

    /// A host that is reached from this machine only: loopback, or the link-local addresses where clouds keep their
    /// metadata.
    var isMachineLocal: Bool {
        isLoopback || host.hasPrefix("169.254.") || host.hasPrefix("[fe80:") || host == "0.0.0.0" || host == "[::]"
    }

    /// `localhost`, 127.0.0.0/8 or ::1, with or without brackets; names that merely resolve there are not meant.
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "[::1]" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The URL that a `Location` header means here (RFC 3986, section 5.2); nil where it is none of ours.
    func resolving(location: String) -> RegistryURL? {
        if location.isEmpty { return nil }
        if location.contains("://"), let absolute = RegistryURL(location) { return absolute }
        if location.prefix(while: { $0 != "/" && $0 != "?" && $0 != "#" }).contains(":") { return nil }
        if location.hasPrefix("//") { return RegistryURL("\(scheme.rawValue):\(location)") }
        let base = "\(scheme.rawValue)://\(authority)"
        if location.hasPrefix("/") { return RegistryURL(base + location) }
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return RegistryURL(base + directory + location)
    }

    /// A URL below this one: path segments and query items already encoded.
    func appending(path more: String, query: String? = nil) -> RegistryURL {
        RegistryURL(scheme: scheme, host: host, port: port, path: path + more, query: query)
    }

    /// Percent-encodes all but the unreserved characters.
    static func encode(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x2d || byte == 0x2e
                || byte == 0x5f || byte == 0x7e
            out +=
                isPlain
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return out
    }

    /// Characters that no URL holds unencoded and that parsers disagree on.
    private static let neverPlain: Set<UInt8> = Set("\\\"<>^`{|}".utf8)

    private static func split(authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            let digits = authority[authority.index(after: colon)...]
            guard (1...5).contains(digits.count), digits.allSatisfy(\.isASCIIDigit), let number = Int(digits),
                (1...65535).contains(number)
            else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            guard (2...45).contains(address.count), address.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { return nil }
        } else {
            guard (1...253).contains(host.count),
                host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) })
            else {
                return nil
            }
        }
        return (host.lowercased(), port)
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
