import NIOSSL

/// How an https URL's server is known, and who we are to it.
package struct StreamTLS: Equatable, Sendable {
    /// Authorities in PEM form; nil takes the system's.
    package var authorityFile: String?
    /// Our certificate and its key in PEM form.
    package var certificateFile: String?
    package var keyFile: String?
    /// The name to look for in the server's certificate; nil takes the URL's host.
    package var serverName: String?
    package var skipsVerification = false

    package init() {}

    /// The handler that speaks TLS on a new connection.
    func handler(for url: StreamURL) throws(StreamError) -> NIOSSLClientHandler {
        var tls = TLSConfiguration.makeClientConfiguration()
        if skipsVerification { tls.certificateVerification = .none }
        if let authorityFile {
            tls.trustRoots = .certificates(try Self.certificates(authorityFile))
        }
        if let certificateFile, let keyFile {
            tls.certificateChain = try Self.certificates(certificateFile).map { .certificate($0) }
            do {
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem))
            } catch {
                throw StreamError("read the key \"\(keyFile)\": it holds none in PEM form")
            }
        }
        do {
            let context = try NIOSSLContext(configuration: tls)
            let name = serverName ?? url.host
            // An address is no server name (RFC 6066, 3); the certificate is then compared with the connection's address.
            let isName = name.contains { $0.isLetter } && !name.contains(":")
            return try NIOSSLClientHandler(context: context, serverHostname: isName ? name : nil)
        } catch {
            throw StreamError("prepare TLS", error)
        }
    }

    private static func certificates(_ file: String) throws(StreamError) -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMFile(file)
        } catch {
            throw StreamError("read the certificates \"\(file)\": it holds none in PEM form")
        }
    }
}
