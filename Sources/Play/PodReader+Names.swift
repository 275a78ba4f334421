// How a pod finds names: resolv.conf(5) and hosts(5).
extension PodReader {
    /// Nil if the machine's resolv.conf is to be taken as it is.
    func resolver(_ spec: ManifestFields) -> ResolverManifest? {
        let policy = spec.choice("dnsPolicy", DNSPolicy.self) ?? .ClusterFirst
        var resolver = ResolverManifest(replacesNode: policy == .None)
        guard let config = spec.fields("dnsConfig") else {
            if policy == .None { spec.error("dnsPolicy", "is None and dnsConfig is missing") }
            return nil
        }
        resolver.settings.servers = config.strings("nameservers")
        resolver.settings.searches = config.strings("searches")
        for option in config.objects("options") {
            let name = option.required("name")
            let value = option.string("value") ?? ""
            resolver.settings.options.append(value.isEmpty ? name : "\(name):\(value)")
            option.end()
        }
        if policy == .None, resolver.settings.servers.isEmpty {
            config.error("nameservers", "has no server, and dnsPolicy is None")
        }
        let settings = resolver.settings
        for word in settings.servers + settings.searches + settings.options where !isWord(word) {
            config.error("", "has \"\(word)\", which is not a word")
        }
        config.end()
        return resolver
    }

    func hostAlias(_ fields: ManifestFields) -> HostAlias {
        let alias = HostAlias(ip: fields.required("ip"), names: fields.strings("hostnames"))
        for word in [alias.ip] + alias.names where !isWord(word) {
            fields.error("", "has \"\(word)\", which is not a word")
        }
        fields.end()
        return alias
    }

    /// What may stand on a line of such a file without changing what the line means.
    private func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 != 127 && $0 != 35 }
    }
}

private enum DNSPolicy: String, CaseIterable { case ClusterFirst, ClusterFirstWithHostNet, Default, None }
