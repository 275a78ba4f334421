/// The socket, and what the runtime says of itself.
enum RuntimeCheck {
    static func run(_ node: some NodePort, _ setting: NodeSetting, _ findings: inout [Finding]) {
        switch setting.answer {
        case nil: return
        case .silence(let reason):
            let kind = node.kind(setting.socket)
            let what =
                kind == nil
                ? "\(setting.socket) is not there"
                    + (AccessCheck.isRoot(node) ? "" : ", or not for this user to see")
                : kind == .socket
                    ? "nobody answers at \(setting.socket): \(reason)" : "\(setting.socket) is not a socket"
            findings.add(
                .error, .runtime, what, breaks: "the kubelet cannot run anything on this node",
                mend: kind == nil || kind == .socket
                    ? "systemctl status swiftlet, journalctl -u swiftlet" : "remove it and restart the daemon")
        case .status(_, _, let unready, _, _):
            for reason in unready {
                findings.add(
                    .error, .runtime, "the runtime says: \(reason)", breaks: "the kubelet takes the node for not ready",
                    mend: "see the other findings, and journalctl -u swiftlet")
            }
        }
    }
}
