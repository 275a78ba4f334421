package import Model

/// Which kernel parameters a pod may set, and how they are named below /proc/sys.
package struct SysctlRules {
    /// One parameter and its value.
    package struct Setting: Sendable, Equatable {
        /// Relative to /proc/sys.
        package var path: String
        package var value: String
    }

    var pod: PodConfig
    var defaults: RuntimeDefaults

    package init(pod: PodConfig, defaults: RuntimeDefaults) {
        self.pod = pod
        self.defaults = defaults
    }

    /// The pod's own, checked, and the defaults that it does not set itself; in order of their paths.
    package func settings() throws(Fault) -> [Setting] {
        var out: [String: String] = [:]
        if !pod.sharesNodeNetwork {
            for (name, value) in defaults.networkSysctls { out[try path(name)] = try checked(value, of: name) }
        }
        var own: Set<String> = []
        for (name, value) in pod.sysctls.sorted(by: { $0.key < $1.key }) {
            let path = try path(name)
            guard own.insert(path).inserted else { throw .invalid("sysctl \(NodePath.quoted(name)) is given twice") }
            out[path] = try checked(value, of: name)
        }
        return out.sorted { $0.key < $1.key }.map { Setting(path: $0.key, value: $0.value) }
    }

    /// A name with dots, or with slashes where its first separator is one (then its dots are dots:
    /// "net/ipv4/conf/eth0.1/rp_filter").
    private func path(_ name: String) throws(Fault) -> String {
        let bytes = Array(name.utf8)
        guard bytes.count <= 255, let first = bytes.first(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") })
        else {
            throw .invalid("sysctl \(NodePath.quoted(name)) is not a name")
        }
        let path = first == UInt8(ascii: "/") ? bytes : bytes.map(Self.swapped)
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts {
            guard !part.isEmpty, !part.elementsEqual(".".utf8), !part.elementsEqual("..".utf8),
                part.allSatisfy(Self.isNameByte)
            else { throw .invalid("sysctl \(NodePath.quoted(name)) is not a name") }
        }
        let text = parts.map { String(decoding: $0, as: UTF8.self) }
        try checkNamespace(text, name)
        return text.joined(separator: "/")
    }

    /// Only parameters that belong to a namespace of the pod; all others are the node's (CVE-2022-0811).
    private func checkNamespace(_ parts: [String], _ name: String) throws(Fault) {
        let isNetwork = parts.first == "net" && parts.count > 1
        let isIPC =
            parts.first == "kernel" && parts.count == 2 && Self.ipcNames.contains(parts[1])
            || parts.starts(with: ["fs", "mqueue"]) && parts.count == 3
        guard isNetwork || isIPC else {
            throw .invalid(
                "sysctl \(NodePath.quoted(name)) is not allowed: it does not belong to a namespace of the pod")
        }
        guard !(isNetwork && pod.sharesNodeNetwork) else {
            throw .invalid("sysctl \(NodePath.quoted(name)) is not allowed: the pod uses the node's network")
        }
        guard !(isIPC && pod.sharesNodeIPC) else {
            throw .invalid("sysctl \(NodePath.quoted(name)) is not allowed: the pod uses the node's IPC namespace")
        }
    }

    /// ipc_namespaces(7).
    private static let ipcNames: Set<String> = [
        "msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced",
    ]

    /// Numbers, words and lists of them; nothing that another reader of the value could take for a second setting.
    private func checked(_ value: String, of name: String) throws(Fault) -> String {
        guard (1...1024).contains(value.utf8.count), value.utf8.allSatisfy(Self.isValueByte) else {
            throw .invalid("sysctl \(NodePath.quoted(name)): the value \(NodePath.quoted(value)) is not allowed")
        }
        return value
    }

    private static func swapped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "."): UInt8(ascii: "/")
        case UInt8(ascii: "/"): UInt8(ascii: ".")
        default: byte
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isWordByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "@")
    }

    private static func isValueByte(_ byte: UInt8) -> Bool {
        isWordByte(byte)
            || [UInt8(ascii: " "), 0x09, UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: ":")].contains(byte)
    }
}
