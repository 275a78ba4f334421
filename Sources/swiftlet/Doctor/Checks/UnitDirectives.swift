/// Directives of [Service] whose effect supervisors and containers inherit (systemd.exec(5)).
enum UnitDirectives {
    /// What a group of directives does, and what that breaks.
    struct Harm: Sendable {
        var names: Set<String>
        var does: String
        var breaks: String
    }

    static let harms = [
        Harm(
            names: [
                "PrivateTmp", "PrivateMounts", "PrivateDevices", "ProtectSystem", "ProtectHome",
                "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
                "ProtectProc",
                "ProcSubset", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths",
                "BindPaths",
                "BindReadOnlyPaths", "TemporaryFileSystem", "MountFlags", "RootDirectory", "RootImage", "MountImages",
                "ExtensionImages", "ExtensionDirectories", "LogNamespace", "PrivateBPF", "BindLogSockets",
                "RootMStack",
                // Their names of before systemd 231.
                "ReadWriteDirectories", "ReadOnlyDirectories", "InaccessibleDirectories",
            ], does: "makes a mount namespace",
            breaks:
                "volumes that the kubelet mounts are not seen, and networks of pods are lost when the daemon is restarted"
        ),
        Harm(
            names: [
                "PrivateNetwork", "PrivateUsers", "PrivateIPC", "PrivatePIDs", "NetworkNamespacePath",
                "IPCNamespacePath", "UserNamespacePath",
            ], does: "makes another namespace", breaks: "pods are made inside of it, cut off from the node"),
        Harm(
            names: [
                "SystemCallFilter", "SystemCallLog", "SystemCallArchitectures", "RestrictNamespaces",
                "RestrictAddressFamilies", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
                "MemoryDenyWriteExecute", "ProtectClock", "ProtectHostname", "RestrictFileSystems",
            ], does: "filters system calls",
            breaks: "every container inherits the filter: programs in them fail in odd ways"),
        Harm(
            names: ["CapabilityBoundingSet", "AmbientCapabilities", "SecureBits", "User", "DynamicUser"],
            does: "takes capabilities away",
            breaks: "containers cannot be given what they ask for, or none can be made"),
        Harm(
            names: ["NoNewPrivileges"], does: "sets no_new_privs",
            breaks: "set-user-ID programs in every container: sudo, ping, su"),
    ]

    static func harm(of key: String) -> Harm? { harms.first { $0.names.contains(key) } }

    /// Whether a value leaves things as they are without the directive; for a list it also takes back what stands before.
    static func isOff(_ key: String, _ value: String) -> Bool {
        // The empty value is the empty set, the one without exceptions all capabilities.
        if key == "CapabilityBoundingSet" { return value == "~" }
        let word = value.lowercased()
        // systemd.syntax(7): booleans.
        if ["", "no", "n", "false", "f", "off", "0"].contains(word) { return true }
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
