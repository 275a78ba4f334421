import CLICore

/// All that the checks go by beside the node itself.
struct NodeSetting: Equatable, Sendable {
    var root = "/var/lib/swiftlet"
    var state = "/run/swiftlet"
    var socket = "/run/swiftlet/swiftlet.sock"
    var networkDirectory = "/etc/cni/net.d"
    var pluginDirectories = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"]
    var toleratesMissingControllers = false

    /// What the runtime says of itself, if it answers.
    var answer: RuntimeAnswer?

    /// Takes over what the runtime's verbose status says of its configuration.
    mutating func take(_ shown: JSONValue) {
        root = shown["rootDir"]?.text ?? root
        state = shown["stateDir"]?.text ?? state
        guard let configuration = shown["configuration"] else { return }
        networkDirectory = configuration["cni"]?["conf_dir"]?.text ?? networkDirectory
        if case .array(let items)? = configuration["cni"]?["bin_dirs"] { pluginDirectories = items.compactMap(\.text) }
        toleratesMissingControllers = configuration["cgroup"]?["tolerate_missing_controllers"] == .bool(true)
    }
}

/// What asking the runtime gave.
enum RuntimeAnswer: Equatable, Sendable {
    /// Why nobody answers.
    case silence(String)
    case status(name: String, version: String, unready: [String], pods: Set<String>, containers: Set<String>)
}

/// The checks of `doctor`: pure functions of a node and a setting.
enum Examination {
    static func findings(_ node: some NodePort, _ setting: NodeSetting) -> [Finding] {
        var findings: [Finding] = []
        KernelCheck.run(node, &findings)
        CgroupCheck.run(node, setting, &findings)
        NetworkCheck.run(node, setting, &findings)
        SecurityCheck.run(node, &findings)
        AccessCheck.run(node, setting, &findings)
        DiskCheck.run(node, setting, &findings)
        UnitCheck.run(node, &findings)
        DaemonCheck.run(node, &findings)
        RuntimeCheck.run(node, setting, &findings)
        StaleCheck.run(node, setting, &findings)
        return findings
    }
}
