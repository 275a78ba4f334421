import Model

/// Absolute paths as text: the rules that hold before any of them is resolved.
enum NodePath {
    /// PATH_MAX less the NUL (path_resolution(7)).
    static let bytesMax = 4095

    /// The path with single slashes and without "." components; relative paths, "..", NUL and over-long ones are
    /// refused.
    static func normalised(_ path: String, _ what: @autoclosure () -> String) throws(Fault) -> String {
        guard path.utf8.first == UInt8(ascii: "/") else { throw .invalid("\(what()) \(quoted(path)) is not absolute") }
        guard path.utf8.count <= bytesMax else { throw .invalid("\(what()) has more than \(bytesMax) bytes") }
        guard !path.utf8.contains(0) else { throw .invalid("\(what()) \(quoted(path)) has a NUL byte") }
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        guard !parts.contains(where: { $0.elementsEqual("..".utf8) }) else {
            throw .invalid("\(what()) \(quoted(path)) has a \"..\" in it")
        }
        let kept = parts.filter { !$0.elementsEqual(".".utf8) }.map { String(Substring($0)) }
        return "/" + kept.joined(separator: "/")
    }

    /// Whether `inner` is `outer` or lies below it; both are normalised.
    static func contains(_ outer: String, _ inner: String) -> Bool {
        outer == "/" || inner == outer || inner.utf8.starts(with: (outer + "/").utf8)
    }

    /// Number of components.
    static func depth(_ path: String) -> Int { path.utf8.split(separator: UInt8(ascii: "/")).count }

    /// A name for messages, cut and free of control characters.
    static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(256).map { $0.properties.generalCategory == .control ? "?" : String($0) }
            .joined()
        return "\"\(shown)\(text.unicodeScalars.count > 256 ? "..." : "")\""
    }
}
