import Foundation

/// The Unix socket of a CRI service.
package struct Endpoint: Equatable, Sendable, CustomStringConvertible {
    /// Where Swiftlet's own daemon listens.
    package static let standard = Endpoint(path: "/run/swiftlet/swiftlet.sock")

    /// Absolute path of the socket.
    package var path: String

    private init(path: String) { self.path = path }

    /// Reads "unix:///path", "unix:/path" or "/path".
    package init(parsing text: String) throws(Failure) {
        var path = text[...]
        if let scheme = text.firstRange(of: "://") {
            guard text[..<scheme.lowerBound] == "unix" else {
                throw .usage("endpoint \"\(printable(text))\": only unix sockets can be used, as unix:///path")
            }
            path = text[scheme.upperBound...]
        } else if text.hasPrefix("unix:") {
            path = text.dropFirst("unix:".count)
        }
        guard path.hasPrefix("/") else {
            throw .usage("endpoint \"\(printable(text))\": not an absolute path of a socket")
        }
        // sockaddr_un.sun_path holds 108 bytes with its terminating zero (unix(7)).
        guard path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw .usage("endpoint \"\(printable(text))\": a socket's path has at most 107 bytes, none of them zero")
        }
        self.path = String(path)
    }

    /// Whether there is a socket, whoever listens.
    var isSocket: Bool {
        do {
            let kind = try FileManager.default.attributesOfItem(
                atPath: URL(filePath: path).resolvingSymlinksInPath().path)[.type]
            return kind as? FileAttributeType == .typeSocket
        } catch {
            return false
        }
    }

    package var description: String { "unix://\(path)" }
}
