import ArgumentParser
import CLICore
import CRIProto
import StreamClient
import SwiftProtobuf

struct Exec: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a running container and end with its exit status.",
        usage: """
            swiftlet exec [OPTIONS] CONTAINER COMMAND [ARGUMENT ...]
            swiftlet exec [OPTIONS] --name NAME | --pod POD | --label LABEL ... COMMAND [ARGUMENT ...]
            """,
        discussion: """
            Streams go through the runtime's streaming server. With --sync there is none: the output is shown when the \
            command has ended, at most 16 MiB of each stream.
            """)

    @Flag(name: .shortAndLong, help: "Send the input to the command.")
    var interactive = false

    @Flag(name: .shortAndLong, help: "Give the command a terminal; with --interactive it gets ours.")
    var tty = false

    @Flag(name: .shortAndLong, help: "Wait for the command and then show its output.")
    var sync = false

    @Option(parsing: .unconditional, help: "Seconds after which the command and all it began is killed; 0 is never.")
    var timeout: Int64 = 0

    @Flag(name: .shortAndLong, help: "Do not print ids before the output of several containers.")
    var quiet = false

    @Flag(name: [.customShort("e"), .long], help: "End with 0 whatever the commands end with.")
    var ignoreErrors = false

    @Flag(name: [.customShort("x"), .long], help: "Run in all chosen containers at the same time.")
    var parallel = false

    @OptionGroup(title: "Choosing containers") var choice: ContainerSelection<LongStateFlag>

    @OptionGroup(title: "Streams") var stream: StreamFlags

    @Argument(help: "The container's id or the beginning of it, unless flags choose.", completion: .containers)
    var container: String?

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments.", valueName: "command"))
    var rest: [String] = []

    func validate() throws {
        guard container != nil else { throw ValidationError("expected a container's id and a command") }
        if command.isEmpty { throw ValidationError("expected a command after the container's id") }
        if sync, interactive || tty { throw ValidationError("--sync cannot be used with --interactive or --tty") }
        if timeout < 0 || timeout > 1_000_000 {
            throw ValidationError("--timeout \(timeout): expected 0 or more seconds")
        }
    }

    func run(_ session: Session) async throws {
        do {
            if choice.isGiven {
                try await runInChosen(session)
            } else {
                try await run(in: try await session.containerID(container ?? ""), session)
            }
        } catch let failure as Failure where ignoreErrors && failure.exitStatus != Failure.misused {
            if !failure.message.isEmpty { try session.console.err("swiftlet: \(printable(failure.message))\n") }
        }
    }

    /// Where flags choose, the first word is the command's.
    private var command: [String] {
        let words = (choice.isGiven ? [container].compactMap { $0 } : []) + rest
        return words.first == "--" ? Array(words.dropFirst()) : words
    }

    private func runInChosen(_ session: Session) async throws {
        let ids = try await choice.select(session, running: true).containers.map(\.id)
        guard !ids.isEmpty else { throw Failure("no running container fits the flags") }
        if ids.count > 1, interactive || tty {
            throw Failure.usage("the flags choose \(ids.count) containers: --interactive and --tty work with one")
        }
        if parallel { return try await session.forEach(ids) { try await run(in: $0, session) } }
        var last: Failure?
        for id in ids {
            if !quiet { try session.console.line(printable(id) + ":") }
            do {
                try await run(in: id, session)
            } catch let failure as Failure {
                if let last, !last.message.isEmpty {
                    try session.console.err("swiftlet: \(printable(last.message))\n")
                }
                last = failure
            }
        }
        if let last { throw last }
    }

    private func run(in id: String, _ session: Session) async throws {
        let operation = "exec in container \"\(shortID(id))\""
        let status = try await sync ? runSync(id, session, operation) : runStreaming(id, session, operation)
        guard status == 0 else { throw Failure.silent(exitStatus: status & 0xff) }
    }

    // MARK: - Ways

    private func runStreaming(_ id: String, _ session: Session, _ operation: String) async throws -> Int32 {
        let streams = RemoteStreams(stdin: interactive, stdout: true, stderr: !tty, tty: tty)
        var relay = Relay(console: session.console, streams: streams)
        if timeout > 0 { relay.limit = .seconds(timeout) }
        let request = Runtime_V1_ExecRequest.with {
            $0.containerID = id
            $0.cmd = command
            $0.tty = streams.tty
            $0.stdin = streams.stdin
            $0.stdout = streams.stdout
            $0.stderr = streams.stderr
        }
        let url = try await session.runtime.call(CRIMethods.exec, request, within: session.quick, to: operation).url
        switch try await naming(operation, { try await relay.run(url, stream.options) }) {
        case .outcome(.exited(let code)): return code
        case .outcome(.failed(let reason)): throw Failure.remote(operation, reason)
        case .late: throw Failure("\(operation): not finished within \(timeout) s")
        case .detached: return 0
        }
    }

    private func runSync(_ id: String, _ session: Session, _ operation: String) async throws -> Int32 {
        let request = Runtime_V1_ExecSyncRequest.with {
            $0.containerID = id
            $0.cmd = command
            $0.timeout = timeout
        }
        // Without a timeout the command may run for ever, and so must the call.
        let limit = timeout > 0 ? session.slow + .seconds(timeout) : nil
        let response = try await session.runtime.call(CRIMethods.execSync, request, within: limit, to: operation)
        try session.console.writeOut(Array(response.stdout))
        try session.console.writeError(Array(response.stderr))
        return response.exitCode
    }
}
