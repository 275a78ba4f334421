/// The systemd unit and its drop-ins: what they give the daemon is inherited by supervisors and containers.
enum UnitCheck {
    private static let name = "swiftlet.service"
    /// systemd.unit(5), later ones first.
    private static let places = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system", "/lib/systemd/system",
    ]

    /// What a group of directives does, and what that breaks.
    private static let harmful: [(names: Set<String>, does: String, breaks: String)] = [
        (
            [
                "PrivateTmp", "PrivateMounts", "PrivateDevices", "ProtectSystem", "ProtectHome",
                "ProtectKernelTunables",
                "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectProc", "ProcSubset",
                "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "BindPaths",
                "BindReadOnlyPaths", "TemporaryFileSystem", "MountFlags", "RootDirectory", "RootImage", "MountImages",
                "ExtensionImages", "ExtensionDirectories",
            ], "makes a mount namespace",
            "volumes that the kubelet mounts are not seen, and networks of pods are lost when the daemon is restarted"
        ),
        (
            [
                "PrivateNetwork", "PrivateUsers", "PrivateIPC", "PrivatePIDs", "NetworkNamespacePath",
                "IPCNamespacePath",
            ],
            "makes another namespace", "pods are made inside of it, cut off from the node"
        ),
        (
            [
                "SystemCallFilter", "SystemCallArchitectures", "RestrictNamespaces", "RestrictAddressFamilies",
                "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute", "ProtectClock",
                "ProtectHostname", "RestrictFileSystems",
            ], "filters system calls", "every container inherits the filter: programs in them fail in odd ways"
        ),
        (
            ["CapabilityBoundingSet", "AmbientCapabilities", "SecureBits", "User", "DynamicUser"],
            "takes capabilities away", "containers cannot be given what they ask for, or none can be made"
        ),
        (["NoNewPrivileges"], "sets no_new_privs", "set-user-ID programs in every container: sudo, ping, su"),
    ]

    static func run(_ node: some NodePort, _ findings: inout [Finding]) {
        guard let place = places.first(where: { node.kind($0 + "/" + name) != nil }) else {
            if node.kind("/run/systemd/system") != nil {
                findings.add(
                    .note, .unit, "systemd has no \(name)", breaks: "the daemon is not started at boot",
                    mend: "install the package, or start swiftletd by other means")
            }
            return
        }
        var values: [String: String] = [:]
        for file in [place + "/" + name] + dropIns(node) {
            for (key, value) in Self.directives(node.text(file) ?? "") {
                values[key] = value
                guard let kind = harmful.first(where: { $0.names.contains(key) }), !isOff(key, value) else { continue }
                findings.add(
                    .error, .unit, "\(file) has \(key)=\(value), which \(kind.does)", breaks: kind.breaks,
                    mend: "take the line out, then systemctl daemon-reload and systemctl restart swiftlet; pods that "
                        + "were started meanwhile keep what they inherited until they are made anew")
            }
        }
        let wanted = [
            ("KillMode", "process", "stopping or upgrading the daemon ends supervisors, and pods with them"),
            ("Delegate", "yes", "systemd may take the cgroups of pods away"),
        ]
        for (key, value, breaks) in wanted where (values[key] ?? "") != value {
            findings.add(
                .error, .unit, "the unit has \(key)=\(values[key] ?? "(not set)")", breaks: breaks,
                mend: "set \(key)=\(value) in [Service], then systemctl daemon-reload")
        }
    }

    /// Drop-ins of the unit and of all services, in the order in which they are read: by name, whatever their directory.
    private static func dropIns(_ node: some NodePort) -> [String] {
        var files: [String: String] = [:]
        for place in places {
            for directory in [name + ".d", "service.d"] {
                for file in node.names("\(place)/\(directory)") ?? [] where file.hasSuffix(".conf") {
                    // A file hides those of the same name in directories of lesser weight.
                    if files[file] == nil { files[file] = "\(place)/\(directory)/\(file)" }
                }
            }
        }
        return files.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The directives of [Service], continued lines joined.
    static func directives(_ text: String) -> [(key: String, value: String)] {
        var found: [(String, String)] = []
        var isService = false
        let joined = text.replacing("\\\n", with: " ")
        for line in joined.split(separator: "\n") {
            let line = line.trimmingPrefix(while: \.isWhitespace)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                isService = line.hasPrefix("[Service]")
                continue
            }
            guard isService, let sign = line.firstIndex(of: "=") else { continue }
            func word(_ part: Substring) -> String {
                String(part.trimmingPrefix(while: \.isWhitespace).reversed().drop { $0.isWhitespace }.reversed())
            }
            found.append((word(line[..<sign]), word(line[line.index(after: sign)...])))
        }
        return found
    }

    /// Whether a value leaves things as they are without the directive.
    private static func isOff(_ key: String, _ value: String) -> Bool {
        let word = value.lowercased()
        if ["", "no", "false", "off", "0"].contains(word) { return true }
        switch key {
        case "User": return word == "root"
        case "ProtectProc": return word == "default"
        case "ProcSubset": return word == "all"
        case "MountFlags": return word == "shared"
        case "RootDirectory": return word == "/"
        default: return false
        }
    }
}
