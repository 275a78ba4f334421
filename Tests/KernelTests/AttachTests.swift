import LaunchProtocol
import Linux
import SupervisorClient
import Synchronization
import TestKit
import Testing

extension KernelTests {
    /// Clients of a container's own streams.
    @Suite struct AttachTests {
        private func withContainer(
            _ script: String, stdin: Bool = true, _ body: (TestPod) async throws -> Void
        ) async throws {
            try await withPod { pod in
                var plan = try pod.container("c", ["/bin/sh", "-c", script])
                plan.streams = .logged(log: 0, stdin: stdin)
                try await pod.start("c", plan)
                try await body(pod)
            }
        }

        @Test func allClientsGetTheSameBytesAsTheLog() async throws {
            // cat would end with EAGAIN if its own descriptor were made non-blocking for a client.
            try await withContainer("cat; echo err >&2; echo end") { pod in
                var clients: [Client] = []
                for _ in 0..<5 { clients.append(try await Client(pod, input: true)) }
                let content = "one\r\ntwo\0\nthree without an end"
                try clients[2].write(content)
                try await pod.client.closeStdin(of: bytes("c"))
                for client in clients { client.closeInput() }
                let outcome = try await pod.finish("c")
                #expect(outcome.stdout == "one\ntwo\0\nthree without an endend\n")
                for client in clients {
                    #expect(text(try client.output()) == content + "end\n")
                    #expect(text(try client.error()) == "err\n")
                    #expect(!client.isCut)
                }
            }
        }

        @Test func aClientThatDoesNotKeepUpIsCutOffAndNothingElseNotices() async throws {
            // More than the slow client's pipe holds, and less than the fast one's, however late that is read.
            let last = 100_000
            try await withContainer("read go; seq 1 \(last); echo done >&2") { pod in
                // Nothing of the first is read before the container's end.
                let slow = try await Client(pod)
                let fast = try await Client(pod, input: true, collecting: true)
                try fast.write("go\n")
                fast.closeInput()
                let outcome = try await pod.finish("c")
                #expect(outcome.record.exitCode == 0)
                let expected = (1...last).map { "\($0)\n" }.joined()
                #expect(outcome.stdout == expected)
                #expect(text(await fast.collected()) == expected)
                #expect(!fast.isCut && slow.isCut)
                // What it has is a beginning of the output, as much as a pipe holds.
                let part = text(try slow.output())
                #expect(!part.isEmpty && part.utf8.count < expected.utf8.count && expected.hasPrefix(part))
                #expect(try slow.error() == [])
            }
        }

        @Test func moreClientsThanTheBoundAreRefusedUntilOneLeaves() async throws {
            try await withContainer("cat") { pod in
                var clients: [Client] = []
                for _ in 0..<16 { clients.append(try await Client(pod)) }
                await #expect(throws: SupervisorError.refused(operation: "attach", errno: .tooManyUsers, detail: "c")) {
                    _ = try await Client(pod)
                }
                // The container is silent: that the reader is gone is all there is to see.
                clients.removeLast()
                clients.append(
                    try await eventually("room") {
                        do { return try await Client(pod, input: true) } catch SupervisorError.refused { return nil }
                    })
                try clients[15].write("x\n")
                try await pod.client.closeStdin(of: bytes("c"))
                for client in clients { client.closeInput() }
                _ = try await pod.finish("c")
                for client in clients { #expect(text(try client.output()) == "x\n") }
            }
        }

        @Test func theInputStaysOpenFromOneClientToTheNext() async throws {
            try await withContainer("cat; echo ended") { pod in
                for line in ["a\n", "b\n"] {
                    let client = try await Client(pod, input: true)
                    try client.write(line)
                    #expect(text(try client.output(until: line)) == line)
                    client.closeInput()
                }
                try await pod.client.closeStdin(of: bytes("c"))
                #expect(try await pod.finish("c").stdout == "a\nb\nended\n")
            }
        }

        @Test func whoWritesMoreThanTheContainerReadsIsNotHeldUp() async throws {
            try await withContainer("until [ -e /go ]; do usleep 1000; done; wc -c") { pod in
                let client = try await Client(pod, input: true)
                var count = 0
                let part = Bytes(repeating: 0x78, count: 4_096)
                do throws(Errno) { while true { count += try client.writeSome(part) } } catch {
                    #expect(error == .again)
                }
                #expect(count > 0)
                _ = try await pod.output(in: "c", "touch /go")
                client.closeInput()
                try await pod.client.closeStdin(of: bytes("c"))
                #expect(try await pod.finish("c").stdout == "\(count)\n")
            }
        }

        @Test func aTerminalIsSharedAndCanBeResized() async throws {
            try await withPod { pod in
                var plan = try pod.container(
                    "c", ["/bin/sh", "-c", "stty -echo; read line; echo \"got $line\"; stty size; read end; exit 3"])
                plan.streams = .loggedTerminal(log: 0)
                plan.terminal = (24, 80)
                try await pod.start("c", plan)
                let client = try await Client(pod, input: true, error: false)
                let other = try await Client(pod, error: false)
                try await pod.client.resizeTerminal(of: bytes("c"), rows: 50, columns: 132)
                try client.write("hello\n")
                for client in [client, other] {
                    let seen = text(try client.output(until: "50 132\r\n"))
                    #expect(seen.contains("got hello\r\n"), "\(seen.debugDescription)")
                }
                try client.write("\n")
                client.closeInput()
                let outcome = try await pod.finish("c")
                #expect(outcome.record.exitCode == 3)
                #expect(outcome.stdout.contains("got hello\n50 132\n"))
                // The end of a terminal is the end of a client's pipe.
                _ = try other.output()
            }
        }

        @Test func aClientGetsWhatComesAfterItAndThenTheEnd() async throws {
            try await withContainer("echo before; read go; echo after; exit 2", stdin: true) { pod in
                _ = try await eventually("the first line") { try pod.records("c").isEmpty ? nil : true }
                let client = try await Client(pod, input: true)
                try client.write("\n")
                client.closeInput()
                #expect(text(try client.output()) == "after\n")
                #expect(try await pod.finish("c").record.exitCode == 2)
            }
        }

        @Test func aContainerWithoutInputGivesNone() async throws {
            try await withContainer("until [ -e /go ]; do usleep 1000; done", stdin: false) { pod in
                #expect(try await !Client(pod, input: true).hasInput)
                _ = try await pod.output(in: "c", "touch /go")
                _ = try await pod.finish("c")
            }
        }

        @Test func onlyARunningContainerHasClients() async throws {
            try await withPod { pod in
                _ = try await pod.run("gone") { $0.arguments = ["/bin/true"] }
                for name in ["gone", "never"] {
                    let refused = SupervisorError.refused(operation: "attach", errno: .noProcess, detail: name)
                    await #expect(throws: refused) { _ = try await Client(pod, container: name) }
                }
            }
        }

        @Test func aNewDaemonFindsAContainerThatItsClientsHaveLeftAlone() async throws {
            try await withContainer("cat; echo ended") { pod in
                do {
                    let client = try await Client(pod, input: true)
                    try client.write("first\n")
                    #expect(text(try client.output(until: "first\n")) == "first\n")
                }
                try pod.client.close()
                try await pod.connect()
                let client = try await Client(pod, input: true)
                try client.write("second\n")
                #expect(text(try client.output(until: "second\n")) == "second\n")
                client.closeInput()
                try await pod.client.closeStdin(of: bytes("c"))
                #expect(try await pod.finish("c").stdout == "first\nsecond\nended\n")
            }
        }
    }
}

/// A client of a container, with pipes of its own.
private final class Client: Sendable {
    private let input: Mutex<OwnedFD?>
    private let outputPipe: OwnedFD
    private let errorPipe: OwnedFD
    private let collector: PipeCollector?
    private let cut: Cut

    private final class Cut: Sendable {
        let isSet = Atomic(false)
    }

    /// - Parameter collecting: the output is read all the time.
    init(
        _ pod: TestPod, container: String = "c", input: Bool = false, error: Bool = true, collecting: Bool = false
    ) async throws {
        var output = try Pipe()
        var errors = try Pipe()
        let cut = Cut()
        self.cut = cut
        let attached = try await pod.client.attach(
            to: bytes(container), input: input, output: output.takeWriting(), error: error ? errors.takeWriting() : nil,
            onCut: { cut.isSet.store(true, ordering: .releasing) })
        self.input = Mutex(attached.input?.take())
        outputPipe = output.takeReading()
        errorPipe = errors.takeReading()
        if collecting {
            try outputPipe.setPipeCapacity(1 << 20)
            let copy = try outputPipe.duplicate()
            try copy.setNonBlocking(true)
            collector = PipeCollector(copy, bytesMax: 1 << 26, reactor: pod.reactor)
        } else {
            collector = nil
        }
    }

    var isCut: Bool { cut.isSet.load(ordering: .acquiring) }
    var hasInput: Bool { input.withLock { $0 != nil } }

    func closeInput() { input.withLock { $0 = nil } }

    func write(_ content: String) throws {
        try input.withLock { input in
            guard try input?.writeAll(bytes(content)) != nil else { throw TestFailure("no input") }
        }
    }

    func writeSome(_ content: Bytes) throws(Errno) -> Int {
        try input.withLock { input throws(Errno) in try input?.write(content) ?? 0 }
    }

    /// All to the end.
    func output() throws -> Bytes { try outputPipe.readToEnd(max: 1 << 26) }
    func error() throws -> Bytes { try errorPipe.readToEnd(max: 1 << 26) }

    /// All up to a certain end.
    func output(until end: String) throws -> Bytes {
        var got: Bytes = []
        while !text(got).hasSuffix(end) {
            guard try outputPipe.waitReadable(milliseconds: 30_000) else { throw TestFailure("only \(text(got))") }
            let part = try outputPipe.read(max: 65_536)
            if part.isEmpty { throw TestFailure("ended after \(text(got))") }
            got += part
        }
        return got
    }

    func collected() async -> Bytes { await collector?.output(within: .seconds(60)).bytes ?? [] }
}
