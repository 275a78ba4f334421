/// What resolv.conf(5) says.
package struct ResolverSettings: Equatable, Sendable {
    package var servers: [String] = []
    package var searches: [String] = []
    package var options: [String] = []

    package init() {}

    /// Reads the file's text; what is not known is left out, and the last `search` line counts.
    package init(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let keyword = words.first, words.count > 1 else { continue }
            switch keyword {
            case "nameserver": servers.append(words[1])
            case "search": searches = Array(words.dropFirst())
            case "options": options += words.dropFirst()
            default: continue
            }
        }
    }
}

/// The dnsConfig of a pod, and whether its dnsPolicy leaves the node's settings out.
package struct ResolverManifest: Sendable {
    package var replacesNode: Bool
    package var settings = ResolverSettings()

    /// The node's settings with the pod's behind them, each once; an option of the pod replaces the node's of that name.
    package func merged(with node: ResolverSettings) -> ResolverSettings {
        guard !replacesNode else { return settings }
        var all = node
        for server in settings.servers where !all.servers.contains(server) { all.servers.append(server) }
        for domain in settings.searches where !all.searches.contains(domain) { all.searches.append(domain) }
        let name = { (option: String) in option.prefix { $0 != ":" } }
        let own = Set(settings.options.map(name))
        all.options = all.options.filter { !own.contains(name($0)) } + settings.options
        return all
    }
}

/// A line that a pod adds to its /etc/hosts.
package struct HostAlias: Equatable, Sendable {
    package var ip: String
    package var names: [String]
}

extension PodManifest {
    /// What a kubelet calls the pod's host if its cluster has the usual domain: the short name, and the full one, which there
    /// is with a subdomain.
    private var shortHostname: String { String((hostname.isEmpty ? name : hostname).prefix(63)) }

    private var fullHostname: String? {
        subdomain.isEmpty ? nil : "\(shortHostname).\(subdomain).\(namespace).svc.cluster.local"
    }

    /// What hostname(1) says in the pod.
    package var ownHostname: String { hasFullHostname ? fullHostname ?? shortHostname : shortHostname }

    /// The pod's /etc/hosts, as a kubelet writes it. A pod in the node's network has the `node`'s file.
    package func hostsFile(ip: String, node: String) -> String {
        var text: String
        if hostNetwork {
            text = "# Kubernetes-managed hosts file (host network).\n" + node
            if !text.hasSuffix("\n") { text += "\n" }
        } else {
            text = "# Kubernetes-managed hosts file.\n"
            for line in [
                "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet",
                "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
            ] { text += line + "\n" }
            if !ip.isEmpty {
                text += ([ip] + [fullHostname, shortHostname].compactMap { $0 }).joined(separator: "\t") + "\n"
            }
        }
        if !hostAliases.isEmpty {
            text += "\n# Entries added by HostAliases.\n"
            for alias in hostAliases { text += ([alias.ip] + alias.names).joined(separator: "\t") + "\n" }
        }
        return text
    }
}
