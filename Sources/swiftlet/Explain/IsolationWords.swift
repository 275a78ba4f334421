import CLICore

/// What keeps a container apart from its node, out of its description (OCI runtime-spec); nothing where there is none.
enum IsolationWords {
    static func lines(_ spec: JSONValue) -> [String] {
        guard let process = spec["process"], let linux = spec["linux"] else { return [] }
        var lines = ["Namespaces of its own or of its pod: " + listed(namespaces(linux))]
        let user = number(process["user"]?["uid"]) ?? "0"
        lines.append("User \(user)\(user == "0" ? " (root)" : ""), group \(number(process["user"]?["gid"]) ?? "0")")
        lines.append("Capabilities: " + listed(strings(process["capabilities"]?["bounding"])))
        lines.append(
            process["noNewPrivileges"] == .bool(true)
                ? "It cannot gain privileges (no_new_privs)" : "Programs may gain privileges (setuid and the like)")
        lines.append(
            hasObject(linux["seccomp"]) ? "System calls are filtered (seccomp)" : "Every system call is allowed")
        lines.append(
            spec["root"]?["readonly"] == .bool(true) ? "Its root is read-only" : "Its root is writable, by layer")
        let masked = strings(linux["maskedPaths"]).count
        let readOnly = strings(linux["readonlyPaths"]).count
        lines.append("Paths of the kernel: \(masked) hidden, \(readOnly) read-only")
        for (name, label) in [("apparmorProfile", "AppArmor profile"), ("selinuxLabel", "SELinux label")] {
            if let text = process[name]?.text, !text.isEmpty { lines.append("\(label): \(text)") }
        }
        return lines + limits(linux["resources"])
    }

    private static func limits(_ resources: JSONValue?) -> [String] {
        var limits: [String] = []
        if let memory = number(resources?["memory"]?["limit"]), let bytes = Int64(memory), bytes > 0 {
            limits.append("memory \(bytes >> 20) MiB")
        }
        if let quota = number(resources?["cpu"]?["quota"]).flatMap(Double.init), quota > 0,
            let period = number(resources?["cpu"]?["period"]).flatMap(Double.init), period > 0
        {
            limits.append("\(decimal(quota / period, places: 2)) CPUs")
        }
        if let pids = number(resources?["pids"]?["limit"]), pids != "0", pids != "-1" {
            limits.append("\(pids) processes")
        }
        return ["Limits: " + listed(limits)]
    }

    private static func namespaces(_ linux: JSONValue) -> [String] {
        guard case .array(let items)? = linux["namespaces"] else { return [] }
        return items.compactMap { $0["type"]?.text }
    }

    private static func strings(_ value: JSONValue?) -> [String] {
        guard case .array(let items)? = value else { return [] }
        return items.compactMap(\.text)
    }

    private static func number(_ value: JSONValue?) -> String? {
        guard case .number(let text)? = value else { return nil }
        return text
    }

    private static func hasObject(_ value: JSONValue?) -> Bool {
        guard case .object(let members)? = value else { return false }
        return !members.isEmpty
    }

    private static func listed(_ words: [String]) -> String { words.isEmpty ? "none" : words.joined(separator: ", ") }
}
