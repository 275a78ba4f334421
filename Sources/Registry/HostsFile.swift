import FoundationEssentials
import TOMLKit

/// The content of a hosts.toml, in the form that containerd documents (docs/hosts.md): `server`, its settings, and
/// `[host."URL"]` tables.
struct HostsFile {
    /// Mirrors in the order of the text, then the server's own entry.
    let hosts: [RegistryHost]

    /// - Parameters:
    ///   - directory: relative file names in the text are below it.
    ///   - domain: the registry whose images these hosts serve.
    init(text: String, path: String, directory: String, domain: String) throws(RegistryError) {
        func invalid(_ reason: String) -> RegistryError { .configuration(path: path, reason: reason) }
        let file: File
        do {
            file = try TOMLDecoder().decode(File.self, from: text)
        } catch let error as TOMLParseError {
            throw invalid("\(error.description) \(error.source.debugDescription)")
        } catch {
            throw invalid("a value has the wrong type: \(String(describing: error).prefix(200))")
        }

        var hosts: [RegistryHost] = []
        let mirrors = file.host ?? [:]
        for address in Self.order(of: Array(mirrors.keys), in: text) {
            guard let settings = mirrors[address] else { continue }
            guard let base = Self.base(address, overridesPath: settings.override_path ?? false) else {
                throw invalid("\"\(address)\" is not the address of a host")
            }
            hosts.append(try settings.apply(to: RegistryHost(base: base), path: path, directory: directory))
        }

        let settings = try Settings(from: file)
        if let server = file.server, !server.isEmpty {
            guard let base = Self.base(server, overridesPath: settings.override_path ?? false) else {
                throw invalid("\"\(server)\" is not the address of a host")
            }
            var host = try settings.apply(to: RegistryHost(base: base), path: path, directory: directory)
            host.isUpstream = true
            hosts.append(host)
        } else if var host = RegistryHost.standard(for: domain) {
            host = try settings.apply(to: host, path: path, directory: directory)
            // The registry itself can do everything, whatever the file says, unless it is named.
            host.canPull = true
            host.canResolve = true
            hosts.append(host)
        }
        self.hosts = hosts
    }

    /// An address without scheme means https; the API's root is `/v2` unless the path is said to be it.
    private static func base(_ address: String, overridesPath: Bool) -> RegistryURL? {
        guard let url = RegistryURL(address.hasPrefix("http") ? address : "https://\(address)"), url.query == nil else {
            return nil
        }
        var path = url.path
        while path.hasSuffix("/") { path.removeLast() }
        if !overridesPath, !path.hasSuffix("/v2") { path += "/v2" }
        return RegistryURL(scheme: url.scheme, host: url.host, port: url.port, path: path)
    }

    /// Tables of TOML have no order, mirrors do: that of their first header in the text. Names found nowhere come last.
    private static func order(of names: [String], in text: String) -> [String] {
        var position: [String: Int] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.drop { $0 == " " || $0 == "\t" }
            guard line.hasPrefix("[") || line.hasPrefix("host") else { continue }
            for name in names
            where position[name] == nil && (line.contains("\"\(name)\"") || line.contains("'\(name)'")) {
                position[name] = number
            }
        }
        return names.sorted { (position[$0] ?? Int.max, $0) < (position[$1] ?? Int.max, $1) }
    }

    /// The keys keep the file's spelling.
    private struct File: Decodable {
        var server: String?
        var host: [String: Settings]?
        var capabilities: [String]?
        var ca: OneOrMore?
        var client: Pairs?
        var skip_verify: Bool?
        var header: [String: OneOrMore]?
        var override_path: Bool?
        var dial_timeout: String?
    }

    private struct Settings: Decodable {
        var capabilities: [String]?
        var ca: OneOrMore?
        var client: Pairs?
        var skip_verify: Bool?
        var header: [String: OneOrMore]?
        var override_path: Bool?
        var dial_timeout: String?

        init(from file: File) throws(RegistryError) {
            capabilities = file.capabilities
            ca = file.ca
            client = file.client
            skip_verify = file.skip_verify
            header = file.header
            override_path = file.override_path
            dial_timeout = file.dial_timeout
        }

        func apply(to host: RegistryHost, path: String, directory: String) throws(RegistryError) -> RegistryHost {
            func absolute(_ name: String) -> String { name.hasPrefix("/") ? name : "\(directory)/\(name)" }
            var host = host
            if let capabilities, !capabilities.isEmpty {
                let known = Set(capabilities.map { $0.lowercased() })
                if let unknown = known.subtracting(["pull", "resolve", "push"]).first {
                    throw .configuration(path: path, reason: "\"\(unknown)\" is not a capability")
                }
                host.canPull = known.contains("pull")
                host.canResolve = known.contains("resolve")
            }
            host.authorityFiles = (ca?.values ?? []).map(absolute)
            host.clientCertificates = (client?.pairs ?? []).map {
                RegistryHost.ClientCertificate(certificateFile: absolute($0.certificate), keyFile: absolute($0.key))
            }
            host.skipsVerification = skip_verify ?? false
            host.headers = (header ?? [:]).sorted { $0.key < $1.key }.flatMap { name, values in
                values.values.map { RegistryHost.Header(name: name, value: $0) }
            }
            if let dial_timeout, !dial_timeout.isEmpty {
                guard let timeout = GoDuration.parse(dial_timeout), timeout > .zero else {
                    throw .configuration(path: path, reason: "\"\(dial_timeout)\" is not a duration such as \"5s\"")
                }
                host.dialTimeout = timeout
            }
            return host
        }
    }

    /// A string or a list of strings.
    private struct OneOrMore: Decodable {
        var values: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do { values = [try container.decode(String.self)] } catch { values = try container.decode([String].self) }
        }
    }

    /// One file, a list of files, or a list of pairs of certificate and key.
    private struct Pairs: Decodable {
        var pairs: [(certificate: String, key: String)]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                let file = try container.decode(String.self)
                pairs = [(file, file)]
            } catch {
                pairs = try container.decode([OneOrMore].self).map { entry in
                    switch entry.values.count {
                    case 1: return (entry.values[0], entry.values[0])
                    case 2: return (entry.values[0], entry.values[1])
                    default:
                        throw DecodingError.dataCorruptedError(
                            in: container,
                            debugDescription: "a client certificate is one file, or a certificate and a key")
                    }
                }
            }
        }
    }
}

/// Durations as Go programs write them: `30s`, `1m30s`, `1.5h`, `300ms`.
enum GoDuration {
    static func parse(_ text: String) -> Duration? {
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { !(("0"..."9").contains($0) || $0 == ".") }
            rest = rest[unit.endIndex...]
            guard let number = Double(digits), let seconds = units[String(unit)] else { return nil }
            total += number * seconds
        }
        guard total.isFinite, total < 86_400 * 365 else { return nil }
        return .seconds(total)
    }

    private static let units = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
}
