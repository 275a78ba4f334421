package import Model

/// What a pull request brings to prove who asks (AuthConfig of the CRI). It is never logged, stored or part of an
/// error.
package struct RegistryCredentials: Sendable, Equatable {
    package var username: String
    package var password: String
    /// An OAuth2 refresh token, exchanged at the registry's token server.
    package var identityToken: String
    /// A bearer token that is sent as it is.
    package var registryToken: String
    /// The registry that these are for; empty: the registry of the image's name.
    package var serverAddress: String

    /// Reads the fields of an AuthConfig; `auth` is base64 of `user:password` and counts where no user name is given.
    package init(
        username: String = "", password: String = "", auth: String = "", identityToken: String = "",
        registryToken: String = "",
        serverAddress: String = ""
    ) throws(Fault) {
        self.username = username
        self.password = password
        self.identityToken = identityToken
        self.registryToken = registryToken
        self.serverAddress = serverAddress
        if username.isEmpty, password.isEmpty, !auth.isEmpty {
            guard let bytes = Base64.decode(auth), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                throw .invalid("read credentials: \"auth\" is not base64 of \"user:password\"")
            }
            self.username = String(decoding: bytes[..<colon], as: UTF8.self)
            // Docker's configuration files pad the password with NUL bytes.
            let padded = bytes[(colon + 1)...]
            self.password = String(decoding: padded.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard !self.username.contains(":") else { throw .invalid("read credentials: the user name has a colon") }
    }

    package var isEmpty: Bool { username.isEmpty && password.isEmpty && identityToken.isEmpty && registryToken.isEmpty }

    /// Whether these may be sent to `host`, an endpoint for images of `domain`.
    ///
    /// A server address names the one host that may see them. Without it that is the registry of the image's name, or
    /// the server that the operator configured in its place; never a mirror.
    func mayBeSent(to host: RegistryHost, domain: String) -> Bool {
        guard !isEmpty else { return false }
        let endpoint = Self.registry(host.base.authority)
        if !serverAddress.isEmpty { return Self.registry(Self.authority(of: serverAddress)) == endpoint }
        return host.isUpstream || Self.registry(domain) == endpoint
    }

    /// The parts of a server address that say which host is meant: `https://index.docker.io/v1/` is `index.docker.io`.
    private static func authority(of address: String) -> String {
        var rest = Substring(address.lowercased())
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        return String(rest.prefix { $0 != "/" })
    }

    /// Docker Hub has three names.
    private static func registry(_ authority: String) -> String {
        let name = authority.lowercased()
        return name == "registry-1.docker.io" || name == "index.docker.io" ? "docker.io" : name
    }

    var basicAuthorization: String? {
        username.isEmpty && password.isEmpty ? nil : "Basic \(Base64.encode(Array("\(username):\(password)".utf8)))"
    }
}
