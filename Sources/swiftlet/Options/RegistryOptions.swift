import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

/// How to prove to a registry who asks.
struct RegistryOptions: ParsableArguments {
    @Option(help: "The registry's USERNAME[:PASSWORD]; a password left out is asked for (default: $CRICTL_CREDS).")
    var creds: String?

    @Option(help: "The same in base64, as in a docker configuration (default: $CRICTL_AUTH).")
    var auth: String?

    /// What was given. A password that was not is asked for on the terminal, without showing it.
    /// - Parameter username: what another flag says of who asks.
    func credentials(of username: String? = nil) async throws -> Runtime_V1_AuthConfig? {
        if [creds, auth, username].count(where: { $0 != nil }) > 1 {
            throw Failure.usage("only one of --creds, --auth and --username can be given")
        }
        let environment = CommandContext.current?.environment ?? [:]
        if let auth = auth ?? (creds ?? username == nil ? environment["CRICTL_AUTH"] : nil) {
            return .with { $0.auth = auth }
        }
        guard let given = username ?? creds ?? environment["CRICTL_CREDS"] else { return nil }
        let parts =
            username == nil ? given.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) : [given[...]]
        guard let name = parts.first.map(String.init), !name.isEmpty else {
            throw Failure.usage("\(username == nil ? "--creds" : "--username"): the user's name is empty")
        }
        let password = parts.count == 2 ? String(parts[1]) : try await PasswordPrompt.ask(for: name)
        return .with {
            $0.username = name
            $0.password = password
        }
    }
}

/// crictl's flag for a user whose password is asked for, where `-u` means nothing else.
struct RegistryUser: ParsableArguments {
    @Option(
        name: [.customShort("u"), .long], help: "The registry's user; the password is asked for on the terminal.")
    var username: String?
}

/// How long a pull may take.
struct PullPatience: ParsableArguments {
    @Option(
        name: [.long, .customLong("pt")],
        help: "The longest time that the pull may take (default: $CRICTL_PULL_TIMEOUT, else any).")
    var pullTimeout: String?

    func limit() throws(Failure) -> Duration? {
        let text = pullTimeout ?? CommandContext.current?.environment["CRICTL_PULL_TIMEOUT"]
        guard let text, !text.isEmpty else { return nil }
        guard let given = parseDuration(text) else {
            throw .usage("--pull-timeout \"\(printable(text))\": not a length of time such as 2m")
        }
        return given > .zero ? given : nil
    }
}
