/// One endpoint that serves the images of a registry: the registry itself or a mirror of it, as hosts.toml describes
/// it.
package struct RegistryHost: Sendable, Equatable {
    /// Scheme, host, port and the API's root path, usually `/v2`.
    package var base: RegistryURL
    /// May serve manifests by digest, and blobs.
    package var canPull = true
    /// May say which digest a tag means.
    package var canResolve = true
    /// The registry itself, or the server configured in its place; not a mirror.
    package var isUpstream = false
    /// PEM files with authorities that are trusted beside the system's.
    package var authorityFiles: [String] = []
    package var clientCertificates: [ClientCertificate] = []
    /// Accept any certificate; only where the operator wrote so.
    package var skipsVerification = false
    package var headers: [Header] = []
    package var dialTimeout: Duration?

    package struct ClientCertificate: Sendable, Equatable {
        package var certificateFile: String
        /// The same file where certificate and key share one.
        package var keyFile: String
    }

    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    package init(base: RegistryURL) { self.base = base }

    /// The endpoint of a registry without any configuration: HTTPS, and plain HTTP only for a loopback address with a
    /// port other than 443, as containerd has it.
    package static func standard(for domain: String) -> RegistryHost? {
        let name = domain == "docker.io" ? "registry-1.docker.io" : domain
        guard let secure = RegistryURL("https://\(name)/v2") else { return nil }
        var base = secure
        if secure.isLoopback, secure.port != 443, let plain = RegistryURL("http://\(name)/v2") { base = plain }
        var host = RegistryHost(base: base)
        host.isUpstream = true
        return host
    }

    /// Whether requests must say which registry's images are meant, by `?ns=` (distribution-spec, registry proxying).
    func needsNamespace(for domain: String) -> Bool {
        guard let standard = RegistryHost.standard(for: domain)?.base else { return true }
        return standard.host != base.host || standard.port != base.port
    }
}
