import NIOSSL

extension RegistryHost {
    /// The TLS settings of this host; nil means the system's authorities and nothing else.
    func tlsConfiguration() throws(RegistryError) -> TLSConfiguration? {
        guard !authorityFiles.isEmpty || !clientCertificates.isEmpty || skipsVerification else { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        if skipsVerification { tls.certificateVerification = .none }

        for file in authorityFiles {
            do {
                tls.additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMFile(file)))
            } catch {
                throw .configuration(path: file, reason: "it holds no certificate authority in PEM form")
            }
        }
        // NIOSSL presents one client certificate; the first pair is it.
        if let client = clientCertificates.first {
            do {
                tls.certificateChain = try NIOSSLCertificate.fromPEMFile(client.certificateFile).map {
                    .certificate($0)
                }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: client.keyFile, format: .pem))
            } catch {
                throw .configuration(
                    path: client.certificateFile, reason: "it and its key are not a client certificate in PEM form")
            }
        }
        return tls
    }
}
