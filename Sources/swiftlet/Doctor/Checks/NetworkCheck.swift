import CLICore

/// CNI configuration and plugins, and what the kernel must forward.
enum NetworkCheck {
    static func run(_ node: some NodePort, _ setting: NodeSetting, _ findings: inout [Finding]) {
        configuration(node, setting, &findings)
        if node.word("/proc/sys/net/ipv4/ip_forward") == "0" {
            findings.add(
                .warning, .network, "net.ipv4.ip_forward is 0",
                breaks: "pods reach nothing beyond this node",
                mend: "sysctl -w net.ipv4.ip_forward=1, and in /etc/sysctl.d")
        }
        if node.kind("/proc/sys/net/bridge") != nil, node.word("/proc/sys/net/bridge/bridge-nf-call-iptables") == "0" {
            findings.add(
                .note, .network, "net.bridge.bridge-nf-call-iptables is 0",
                breaks: "services between pods of one bridge, where kube-proxy uses iptables",
                mend: "sysctl -w net.bridge.bridge-nf-call-iptables=1, and in /etc/sysctl.d")
        }
    }

    private static func configuration(_ node: some NodePort, _ setting: NodeSetting, _ findings: inout [Finding]) {
        let directory = setting.networkDirectory
        let files = (node.names(directory) ?? []).filter { name in
            [".conflist", ".conf", ".json"].contains { name.hasSuffix($0) }
        }
        guard let name = files.first else {
            return findings.add(
                .error, .network, "no network is configured in \(directory)",
                breaks: "the node is not ready (NetworkPluginNotReady); only pods in the host's network run",
                mend: "install a CNI add-on, or copy /usr/share/doc/swiftlet/examples/10-swiftlet.conflist there")
        }
        let path = directory + "/" + name
        if files.count > 1 {
            findings.add(
                .note, .network,
                "\(files.count) networks are configured in \(directory); the first by name is used: \(name)",
                breaks: "nothing, if it is the one that you mean", mend: "move the others away")
        }
        let tree: JSONValue
        do { tree = try JSONParser.parse((node.text(path) ?? "").utf8) } catch {
            return findings.add(
                .error, .network, "\(path) is not JSON: \(error)",
                breaks: "the node is not ready (NetworkPluginNotReady)", mend: "correct the file or install it again")
        }
        var types: [String] = []
        if case .array(let plugins)? = tree["plugins"] {
            types = plugins.flatMap { [$0["type"]?.text, $0["ipam"]?["type"]?.text].compactMap { $0 } }
        } else {
            types = [tree["type"]?.text, tree["ipam"]?["type"]?.text].compactMap { $0 }
        }
        if types.isEmpty {
            findings.add(
                .error, .network, "\(path) names no plugin", breaks: "the node is not ready (NetworkPluginNotReady)",
                mend: "correct the file or install it again")
        }
        for type in types where !isInstalled(type, node, setting) {
            findings.add(
                .error, .network, "the CNI plugin \"\(type)\" of \(path) is not installed",
                breaks: "no pod gets a network",
                mend: "install it (package containernetworking-plugins) into one of "
                    + setting.pluginDirectories.joined(separator: ", "))
        }
    }

    private static func isInstalled(_ type: String, _ node: some NodePort, _ setting: NodeSetting) -> Bool {
        setting.pluginDirectories.contains { node.kind($0 + "/" + type) == .file(executable: true) }
    }
}
