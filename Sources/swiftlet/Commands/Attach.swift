import ArgumentParser
import CLICore
import CRIProto
import StreamClient
import SwiftProtobuf

struct Attach: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Join the streams of a running container and end with its exit status.",
        usage: "swiftlet attach [OPTIONS] CONTAINER",
        discussion: """
            What the container wrote before is in its log. The detach keys leave without ending the container; so does \
            an interrupt, unless it goes to the container's terminal.
            """)

    @Flag(
        name: [.customShort("i"), .customLong("stdin"), .customLong("interactive")],
        help: "Send the input to the container, which was made with stdin.")
    var interactive = false

    @Flag(name: .shortAndLong, help: "The container has a terminal: hand ours over to it.")
    var tty = false

    @Option(help: "The keys that detach; an empty text means none.")
    var detachKeys = DetachKeys.standard

    @OptionGroup var stream: StreamFlags

    @Argument(help: "The container's id or the beginning of it.", completion: .containers)
    var container: String

    func run(_ session: Session) async throws {
        let streams = RemoteStreams(stdin: interactive, stdout: true, stderr: !tty, tty: tty)
        var relay = Relay(console: session.console, streams: streams)
        if tty { relay.detachKeys = try DetachKeys(parsing: detachKeys) }
        let id = try await session.containerID(container)
        let request = Runtime_V1_AttachRequest.with {
            $0.containerID = id
            $0.tty = streams.tty
            $0.stdin = streams.stdin
            $0.stdout = streams.stdout
            $0.stderr = streams.stderr
        }
        let operation = "attach to container \"\(shortID(id))\""
        let url = try await session.runtime.call(CRIMethods.attach, request, within: session.quick, to: operation).url
        let end = try await naming(operation) { try await relay.run(url, stream.options) }
        switch end {
        case .detached:
            // Behind a prompt, mostly.
            try session.console.err("\nswiftlet: detached from container \"\(shortID(id))\"\n")
        case .outcome(.failed(let reason)): throw Failure.remote(operation, reason)
        case .outcome(.exited), .late:
            let status = try await session.containerStatus(id).status
            guard status.state == .containerExited, status.exitCode != 0 else { return }
            throw Failure.silent(exitStatus: status.exitCode & 0xff)
        }
    }
}

/// Puts the operation before the sentence of a failure that has none yet.
func naming<Result>(_ operation: String, _ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let failure as Failure where failure.exitStatus == Failure.failed && !failure.message.isEmpty {
        throw Failure("\(operation): \(failure.message)")
    }
}
