/// Who may reach what is root's alone: whoever can connect to the socket can run anything on the node as root.
enum AccessCheck {
    static func run(_ node: some NodePort, _ setting: NodeSetting, _ findings: inout [Finding]) {
        if !isRoot(node) {
            findings.add(
                .note, .security, "doctor does not run as root",
                breaks: "nothing; but what only root may see was not looked at", mend: "run it as root")
        }
        if node.kind(setting.socket) == .socket, let socket = node.access(setting.socket) {
            let path = setting.socket
            if socket.mode & 0o002 != 0 {
                findings.add(
                    .error, .security, "everybody may connect to \(path) (mode \(modeText(socket)))",
                    breaks: "the node: any user and program on it can run anything as root",
                    mend: "chmod 0660 \(path); to let a group in, set socket_group in the configuration")
            }
            if socket.user != 0 {
                findings.add(
                    .error, .security, "\(path) belongs to user \(socket.user)",
                    breaks: "the node: that user can run anything as root", mend: "chown root \(path)")
            }
        }
        for path in [setting.root, setting.state] {
            guard let directory = node.access(path) else { continue }
            if directory.user != 0 || directory.mode & 0o022 != 0 {
                findings.add(
                    .error, .security,
                    "others than root may write in \(path) (user \(directory.user), mode \(modeText(directory)))",
                    breaks: "the node: they can change what containers run and what the daemon believes",
                    mend: "chown root \(path) && chmod go-w \(path)")
            }
        }
        if let root = node.access(setting.root), root.mode & 0o001 != 0 {
            findings.add(
                .warning, .security, "everybody may enter \(setting.root) (mode \(modeText(root)))",
                breaks: "users of the node can read images, and run set-user-ID programs out of them",
                mend: "chmod 0700 \(setting.root)")
        }
    }

    /// Whether the process itself may see everything; taken for granted where it cannot be known.
    static func isRoot(_ node: some NodePort) -> Bool {
        // proc(5): the real, the effective, the saved and the file system's user.
        let users = node.field("Uid", of: "/proc/self/status")?.split(whereSeparator: \.isWhitespace)
        return users?.dropFirst().first.map { $0 == "0" } ?? true
    }

    private static func modeText(_ access: NodeAccess) -> String {
        let digits = String(access.mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
