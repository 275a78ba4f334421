/// Where a streaming server has something for us: the URL of an Exec, Attach or PortForward.
package struct StreamURL: Equatable, Sendable {
    package let isSecure: Bool
    /// A name or an address, without brackets.
    package let host: String
    package let port: Int
    /// Path and query. It has the token, so it is for the server alone.
    let path: String

    private static let bytesMax = 8192

    /// Reads a URL of the schemes http and https. What is wrong is said without the URL itself.
    package init(_ text: String) throws(StreamError) {
        guard text.utf8.count <= Self.bytesMax, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw StreamError("read the stream's URL: it has spaces, control characters, or more than 8192 bytes")
        }
        let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].isEmpty else { throw StreamError("read the stream's URL: it has no host") }
        switch parts[0].lowercased() {
        case "http:": isSecure = false
        case "https:": isSecure = true
        default: throw StreamError("read the stream's URL: its scheme is neither http nor https")
        }
        path = "/" + (parts.count > 3 ? parts[3].prefix { $0 != "#" } : "")
        guard !parts[2].contains(where: { "@?#".contains($0) }),
            let (host, port) = Self.authority(parts[2], standardPort: isSecure ? 443 : 80)
        else {
            throw StreamError("read the stream's URL: its host is not one")
        }
        self.host = host
        self.port = port
    }

    /// What stands in the header Host.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    private static func authority(_ text: Substring, standardPort: Int) -> (String, Int)? {
        var host = text
        var rest: Substring = ""
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[..<end].dropFirst()
            rest = text[text.index(after: end)...]
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            rest = text[colon...]
        }
        guard !host.isEmpty else { return nil }
        guard !rest.isEmpty else { return (String(host), standardPort) }
        let digits = rest.dropFirst()
        guard rest.first == ":", digits.first != "+", let port = UInt16(digits), port > 0 else { return nil }
        return (String(host), Int(port))
    }
}
