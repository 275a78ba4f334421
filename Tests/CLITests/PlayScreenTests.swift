import CLICore
import Foundation
import NIOCore
import NIOPosix
import Play
import Testing

@testable import swiftlet

@Suite struct PlayScreenTests {
    private static func snapshot(_ state: ContainerState, rows count: Int = 2) -> PodSnapshot {
        let end = Termination(exitCode: 1, reason: "Error")
        var rows = [PodSnapshot.Row(name: "c0", state: state, previousEnd: end, restarts: 2, isReady: nil)]
        for number in 1..<max(count, 1) {
            rows.append(
                PodSnapshot.Row(name: "c\(number)", state: .running, previousEnd: nil, restarts: 0, isReady: true))
        }
        return PodSnapshot(pod: "default/web", phase: .Running, isReady: false, message: "", rows: rows)
    }

    @Test("the table has a line for each container")
    func table() {
        let lines = PlayScreen.table(
            [Self.snapshot(.waiting(reason: "CrashLoopBackOff", message: "wait"))], rows: 24, columns: 100)
        #expect(
            lines == [
                "POD           PHASE     CONTAINER   RESTARTS   LAST      STATE",
                "default/web   Running   c0          2          Error 1   Waiting CrashLoopBackOff: wait",
                "                        c1          0          -         Running, ready",
            ])
    }

    @Test("the table fits terminals of any size", arguments: [(5, 20), (1, 1), (2, 300), (100, 10), (3, 80)])
    func sizes(rows: Int, columns: Int) {
        let lines = PlayScreen.table([Self.snapshot(.running, rows: 50)], rows: rows, columns: columns)
        #expect(lines.count <= max(1, rows - 1))
        #expect(lines.allSatisfy { $0.count <= max(1, columns - 1) })
        let whole = columns < 75 ? 53 : 52
        if rows < 50, columns > 12 { #expect(lines.last == "... \(whole - lines.count) more") }
    }

    @Test("a narrow terminal shows the states, too")
    func narrow() {
        let snapshot = Self.snapshot(.waiting(reason: "CrashLoopBackOff", message: "wait"))
        #expect(
            PlayScreen.table([snapshot], rows: 24, columns: 60) == [
                "POD           STATE",
                "default/web   Running",
                "  c0          Waiting CrashLoopBackOff: wait (2 restarts)",
                "  c1          Running, ready",
            ])
        #expect(PlayScreen.table([snapshot], rows: 24, columns: 30).allSatisfy { $0.count <= 29 })
    }

    @Test("on a terminal the table is drawn over the old one, with notes above it")
    func drawing() async {
        let captured = CapturedConsole(isTerminal: true)
        let screen = PlayScreen(console: captured.console, pods: 1, size: { (rows: 24, columns: 80) }, onFailure: {})
        await screen.show(Self.snapshot(.running), at: 0)
        #expect(captured.out.hasPrefix("\r\u{1b}[JPOD "))
        let first = captured.out
        await screen.show(Self.snapshot(.running), at: 0)
        #expect(captured.out == first)
        await screen.note("pulling \u{1b}[31m")
        #expect(captured.out.dropFirst(first.count).hasPrefix("\u{1b}[3A\r\u{1b}[Jpulling ?[31m\nPOD "))
    }

    @Test("elsewhere there is a line for each change and nothing that drives a terminal")
    func lines() async {
        let captured = CapturedConsole()
        let screen = PlayScreen(console: captured.console, pods: 1, size: nil, onFailure: {})
        await screen.show(Self.snapshot(.running, rows: 1), at: 0)
        await screen.show(
            Self.snapshot(.terminated(Termination(exitCode: 3, reason: "Error", message: "a\u{1b}b")), rows: 1), at: 0)
        #expect(
            captured.out == """
                default/web: Running
                default/web/c0: Running
                default/web/c0: Terminated Error, exit code 3: a?b

                """)
    }
}

@Suite struct NetworkProbeTests {
    /// Answers each connection with some text and keeps it open.
    private final class Answer: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let text: String
        let closes: Bool
        init(_ text: String, closes: Bool) { (self.text, self.closes) = (text, closes) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let request = String(buffer: unwrapInboundIn(data))
            let answer = text.replacing(
                "ECHO",
                with: request.contains("GET /ok HTTP/1.1\r\n") && request.contains("\r\nX-A: b\r\n") ? "204" : "500")
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            if closes { context.close(promise: nil) }
        }
    }

    private func withServer(_ text: String, closes: Bool = false, _ body: (Int) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { $0.pipeline.addHandler(Answer(text, closes: closes)) }
            .bind(host: "127.0.0.1", port: 0).get()
        do { try await body(try #require(server.localAddress?.port)) } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    @Test(
        "an answer from 200 to 399 is good, all else is said",
        arguments: [
            ("HTTP/1.1 200 OK\r\n", nil), ("HTTP/1.0 399 X\r\n", nil), ("HTTP/1.1 ECHO\r\n", nil),
            ("HTTP/1.1 404 Not Found\r\n", "HTTP status 404"), ("HTTP/1.1 199\n", "HTTP status 199"),
            ("SSH-2.0-x\r\n", "the answer is not HTTP"), ("HTTP/1.1 x\r\n", "the answer is not HTTP"),
            (String(repeating: "x", count: 5000), "the answer is not HTTP"),
        ] as [(String, String?)])
    func answers(text: String, expected: String?) async throws {
        try await withServer(text) { port in
            let problem = await NetworkProbe.get(
                host: "127.0.0.1", port: port, path: "/ok", headers: [("X-A", "b")], within: .seconds(30))
            #expect(problem == expected)
        }
    }

    @Test("a server that says nothing or hangs up fails the probe")
    func silence() async throws {
        try await withServer("HTTP") { port in
            let problem = await NetworkProbe.get(
                host: "127.0.0.1", port: port, path: "x", headers: [], within: .milliseconds(50))
            #expect(problem == "no answer in time")
        }
        try await withServer("HTTP", closes: true) { port in
            let problem = await NetworkProbe.get(
                host: "127.0.0.1", port: port, path: "x", headers: [], within: .seconds(30))
            #expect(problem == "the connection was closed")
        }
    }

    @Test("a port is open or not")
    func connecting() async throws {
        var free = 0
        try await withServer("") { port in
            free = port
            #expect(await NetworkProbe.connect(host: "127.0.0.1", port: port, within: .seconds(30)) == nil)
        }
        let problem = await NetworkProbe.connect(host: "127.0.0.1", port: free, within: .seconds(30))
        #expect(problem?.contains("refused") == true, "\(problem ?? "")")
    }
}
