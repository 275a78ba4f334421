/// A normalised image name: registry, repository, and a tag or a digest.
///
/// The grammar and the normalisation are those of docker's reference format: `busybox` means
/// `docker.io/library/busybox:latest`, and a name with both a tag and a digest means the digest. Every part is checked,
/// so that a value may be put into a URL.
package struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    /// `registry.example`, `localhost:5000`, `[::1]:5000`.
    package let domain: String
    /// The repository below the registry: `library/busybox`.
    package let path: String
    package let selector: Selector

    /// What of a repository is meant.
    package enum Selector: Hashable, Sendable {
        case tag(String)
        case digest(Digest)
    }

    /// Normalises a name that a user may write; throws `invalidArgument` with a sentence that says which part is wrong.
    package init(_ text: String) throws(Fault) {
        guard text.utf8.count <= 1024 else { throw .invalid("parse image reference: it is longer than 1024 bytes") }
        guard !text.isEmpty else { throw .invalid("parse image reference: it is empty") }
        func invalid(_ what: String) -> Fault { .invalid("parse image reference \"\(printable(text))\": \(what)") }

        var bytes = Array(text.utf8)[...]
        guard bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw invalid("only printable ASCII characters are allowed")
        }

        var digest: Digest?
        if let at = bytes.firstIndex(of: UInt8(ascii: "@")) {
            digest = Digest(string(bytes[(at + 1)...]))
            guard digest != nil else {
                throw invalid("the digest must be sha256 and 64, or sha512 and 128 hexadecimal digits")
            }
            bytes = bytes[..<at]
        }

        var tag: String?
        let nameStart = bytes.lastIndex(of: UInt8(ascii: "/")) ?? bytes.startIndex
        if let colon = bytes[nameStart...].lastIndex(of: UInt8(ascii: ":")) {
            guard ReferenceGrammar.isTag(bytes[(colon + 1)...]) else {
                throw invalid(
                    "a tag is 1 to 128 letters, digits, \"_\", \".\" or \"-\" and starts with none of the last two")
            }
            tag = string(bytes[(colon + 1)...])
            bytes = bytes[..<colon]
        }

        guard digest != nil || bytes.count != 64 || !bytes.allSatisfy(ReferenceGrammar.isLowerHex) else {
            throw invalid("64 hexadecimal digits are an image id, not a name")
        }
        let (domain, path) = ReferenceGrammar.split(bytes)
        guard ReferenceGrammar.isDomain(domain) else {
            throw invalid("the registry is not a host name with an optional port")
        }
        guard ReferenceGrammar.isPath(path) else {
            throw invalid(
                "a repository name has lower-case letters and digits, separated by \".\", \"_\", \"__\", \"-\" or \"/\""
            )
        }
        guard domain.count + 1 + path.count <= 255 else { throw invalid("the name is longer than 255 bytes") }

        self.domain = string(domain)
        self.path = string(path)
        if let digest { selector = .digest(digest) } else { selector = .tag(tag ?? "latest") }
    }

    private init(domain: String, path: String, selector: Selector) {
        self.domain = domain
        self.path = path
        self.selector = selector
    }

    /// Registry and repository, without tag and digest.
    package var repository: String { "\(domain)/\(path)" }

    /// The full form, the one that is stored and compared: `docker.io/library/busybox:latest`,
    /// `docker.io/library/busybox@sha256:...`.
    package var canonical: String { repository + suffix }

    /// The short form, as people write it: `busybox:latest`.
    package var familiar: String {
        guard domain == ReferenceGrammar.defaultDomain else { return canonical }
        let official = "library/"
        let rest = path.dropFirst(official.utf8.count)
        return (path.hasPrefix(official) && !rest.contains("/") ? String(rest) : path) + suffix
    }

    package var tag: String? { if case .tag(let tag) = selector { tag } else { nil } }
    package var digest: Digest? { if case .digest(let digest) = selector { digest } else { nil } }

    /// The same repository at a digest.
    package func at(_ digest: Digest) -> ImageReference {
        ImageReference(domain: domain, path: path, selector: .digest(digest))
    }

    package var description: String { canonical }

    private var suffix: String {
        switch selector {
        case .tag(let tag): ":\(tag)"
        case .digest(let digest): "@\(digest)"
        }
    }
}

private func string(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

/// At most 128 characters, control characters replaced, for an error message.
private func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(text.unicodeScalars.prefix(128).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 })
    )
}

/// The lexical rules of docker's reference format, on bytes.
private enum ReferenceGrammar {
    static let defaultDomain = "docker.io"

    /// The first component is a registry if it could not be part of a repository name: it has a dot, a colon or an
    /// upper-case letter, or is `localhost`.
    static func split(_ name: ArraySlice<UInt8>) -> (domain: ArraySlice<UInt8>, path: ArraySlice<UInt8>) {
        let standard = Array(defaultDomain.utf8)[...]
        var domain = standard
        var path = name
        if let slash = name.firstIndex(of: UInt8(ascii: "/")) {
            let first = name[..<slash]
            if first.contains(where: {
                $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") || (0x41...0x5a).contains($0)
            })
                || first.elementsEqual("localhost".utf8)
            {
                domain = first.elementsEqual("index.docker.io".utf8) ? standard : first
                path = name[(slash + 1)...]
            }
        }
        if domain == standard, !path.contains(UInt8(ascii: "/")) { path = Array("library/".utf8) + path }
        return (domain, path)
    }

    static func isTag(_ tag: ArraySlice<UInt8>) -> Bool {
        guard (1...128).contains(tag.count), let first = tag.first else { return false }
        return isWord(first) && tag.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    static func isDomain(_ domain: ArraySlice<UInt8>) -> Bool {
        var host = domain
        if host.first == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = host[(host.startIndex + 1)..<end]
            guard (2...45).contains(address.count), address.contains(UInt8(ascii: ":")),
                address.allSatisfy({ isHex($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
            else { return false }
            let rest = host[(end + 1)...]
            return rest.isEmpty || (rest.first == UInt8(ascii: ":") && isPort(rest.dropFirst()))
        }
        if let colon = host.firstIndex(of: UInt8(ascii: ":")) {
            guard isPort(host[(colon + 1)...]) else { return false }
            host = host[..<colon]
        }
        return host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
            return isAlphanumeric(first) && isAlphanumeric(last)
                && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
    }

    static func isPath(_ path: ArraySlice<UInt8>) -> Bool {
        path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy(isPathComponent)
    }

    /// Runs of lower-case letters and digits joined by one of: a dot, one or two underscores, any number of dashes.
    private static func isPathComponent(_ component: ArraySlice<UInt8>) -> Bool {
        guard let first = component.first, let last = component.last, isLowerAlphanumeric(first),
            isLowerAlphanumeric(last)
        else {
            return false
        }
        return component.split(whereSeparator: isLowerAlphanumeric).allSatisfy { separator in
            separator.elementsEqual(".".utf8) || separator.elementsEqual("_".utf8) || separator.elementsEqual("__".utf8)
                || separator.allSatisfy { $0 == UInt8(ascii: "-") }
        }
    }

    private static func isPort(_ port: ArraySlice<UInt8>) -> Bool {
        guard (1...5).contains(port.count), port.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return (1...65535).contains(port.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }

    static func isLowerHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
    private static func isHex(_ byte: UInt8) -> Bool { isLowerHex(byte) || (0x41...0x46).contains(byte) }
    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
    }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (0x41...0x5a).contains(byte)
    }
    private static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
}
