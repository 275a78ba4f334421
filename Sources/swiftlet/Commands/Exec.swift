import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Exec: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a running container and end with its exit status.",
        usage: "swiftlet exec -s [--timeout SECONDS] CONTAINER COMMAND [ARGUMENT ...]",
        discussion: "The output is shown when the command has ended, at most 16 MiB of each stream.")

    @Flag(name: .shortAndLong, help: "Wait for the command and then show its output; for now the only way.")
    var sync = false

    @Option(help: "Seconds after which the command and all it began is killed; 0 is never.")
    var timeout: Int64 = 0

    @Argument(help: "The container's id or the beginning of it.")
    var container: String

    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String] = []

    func validate() throws {
        if !sync { throw ValidationError("commands can only be run with --sync (-s), before the container's id") }
        if words.isEmpty { throw ValidationError("expected a command after the container's id") }
        if timeout < 0 || timeout > 1_000_000 {
            throw ValidationError("--timeout \(timeout): expected 0 or more seconds")
        }
    }

    func run(_ session: Session) async throws {
        let id = try await session.containerID(container)
        let request = Runtime_V1_ExecSyncRequest.with {
            $0.containerID = id
            $0.cmd = words
            $0.timeout = timeout
        }
        // Without a timeout the command may run for ever, and so must the call.
        let limit = timeout > 0 ? session.slow + .seconds(timeout) : nil
        let response = try await session.runtime.call(
            CRIMethods.execSync, request, within: limit,
            to: "exec in container \"\(shortID(id))\"")
        try session.console.writeOut(Array(response.stdout))
        try session.console.writeError(Array(response.stderr))
        guard response.exitCode == 0 else { throw Failure.silent(exitStatus: response.exitCode & 0xff) }
    }

    private var words: [String] { command.first == "--" ? Array(command.dropFirst()) : command }
}
