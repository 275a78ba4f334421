import FoundationEssentials

/// Finds the endpoints of a registry in directories laid out as containerd's `config_path`, anew for each pull, so that
/// changes need no restart.
struct HostsDirectory: Sendable {
    /// The first one that has a directory for a registry decides.
    var roots: [String]

    private static let fileBytesMax = 1024 * 1024

    /// The endpoints to try, in order.
    func hosts(for domain: String) throws(RegistryError) -> [RegistryHost] {
        for directory in roots.flatMap({ Self.candidates(root: $0, domain: domain) }) where Self.isDirectory(directory)
        {
            let path = "\(directory)/hosts.toml"
            if FileManager.default.fileExists(atPath: path) {
                let text = try Self.read(path)
                if !text.isEmpty {
                    return try HostsFile(text: text, path: path, directory: directory, domain: domain).hosts
                }
            }
            return try Self.standard(domain, certificatesIn: directory)
        }
        return try Self.standard(domain, certificatesIn: nil)
    }

    /// `host_port_`, `host:port`, `_default`.
    private static func candidates(root: String, domain: String) -> [String] {
        var names = [domain, "_default"]
        if let colon = domain.lastIndex(of: ":"), !domain[colon...].contains("]") {
            names.insert("\(domain[..<colon])_\(domain[domain.index(after: colon)...])_", at: 0)
        }
        return names.map { "\(root)/\($0)" }
    }

    /// The registry itself, with certificates in docker's layout where there are any: `*.crt` are authorities, `X.cert`
    /// and `X.key` a client's.
    private static func standard(_ domain: String, certificatesIn directory: String?) throws(RegistryError)
        -> [RegistryHost]
    {
        guard var host = RegistryHost.standard(for: domain) else {
            throw .configuration(path: domain, reason: "it is not the name of a host")
        }
        guard let directory else { return [host] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw .configuration(path: directory, reason: "it cannot be listed")
        }
        host.authorityFiles = names.filter { $0.hasSuffix(".crt") }.map { "\(directory)/\($0)" }
        host.clientCertificates = names.filter { $0.hasSuffix(".cert") }.map {
            let stem = "\(directory)/\($0.dropLast(".cert".count))"
            return RegistryHost.ClientCertificate(certificateFile: "\(stem).cert", keyFile: "\(stem).key")
        }
        return [host]
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
    }

    private static func read(_ path: String) throws(RegistryError) -> String {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .configuration(path: path, reason: "it cannot be read")
        }
        guard bytes.count <= fileBytesMax, let text = String(bytes: bytes, encoding: .utf8) else {
            throw .configuration(path: path, reason: "it is not UTF-8 text of at most 1 MiB")
        }
        return text
    }
}
