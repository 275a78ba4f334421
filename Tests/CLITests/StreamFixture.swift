import CLICore
import CRIProto
import Foundation
import Model
import Streaming
import Synchronization

@testable import swiftlet

/// A runtime with one container, "0002", in the pod "0001", whose streams are real and whose processes are this machine's.
struct StreamFixture {
    let runtime: FakeRuntime
    let target: LocalTarget

    static func with(
        attached: [String] = ["/bin/cat"], _ body: (StreamFixture) async throws -> Void
    ) async throws {
        let target = LocalTarget(attached: attached)
        let server = try await StreamingServer.start(target)
        do {
            try await FakeRuntime.with { runtime in
                runtime.addContainer("a", in: runtime.addPod("p"))
                runtime.world.state.withLock { $0.streams = urls(server) }
                try await body(StreamFixture(runtime: runtime, target: target))
            }
        } catch {
            await end(server, target)
            throw error
        }
        await end(server, target)
    }

    private static func end(_ server: StreamingServer, _ target: LocalTarget) async {
        await target.end()
        await server.stop(grace: .zero)
    }

    private static func urls(_ server: StreamingServer) -> FakeWorld.StreamURLs {
        @Sendable func url(_ make: () throws -> String) -> String {
            do { return try make() } catch { return "failed: \(error)" }
        }
        let (container, pod) = (ContainerID.random(), PodID.random())
        return FakeWorld.StreamURLs(
            exec: { request in
                let streams = StreamChoice(
                    stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty)
                return url {
                    try server.execURL(ExecStream(container: container, command: request.cmd, streams: streams))
                }
            },
            attach: { request in
                let streams = StreamChoice(
                    stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty)
                return url { try server.attachURL(AttachStream(container: container, streams: streams)) }
            },
            portForward: { _ in url { try server.portForwardURL(pod: pod, ports: []) } })
    }

    /// The program with input that ends after `input`.
    func swiftlet(
        _ arguments: [String], input: [UInt8] = []
    ) async throws -> (status: Int32, out: String, err: String) {
        let pipe = Pipe()
        let program = try Executable.start(["-r", runtime.endpoint] + arguments, input: pipe.fileHandleForReading)
        defer { program.end() }
        // In a thread of its own: a pipe holds less than some tests send.
        let writing = pipe.fileHandleForWriting
        Thread.detachNewThread {
            do {
                try writing.write(contentsOf: Data(input))
                try writing.close()
            } catch { print("write input: \(error)") }
        }
        let status = try await program.exitStatus()
        return (status, program.out, program.error)
    }

    func terminal(_ arguments: [String], rows: UInt16 = 24, columns: UInt16 = 80) throws -> TerminalProgram {
        try TerminalProgram(["-r", runtime.endpoint] + arguments, rows: rows, columns: columns)
    }
}
