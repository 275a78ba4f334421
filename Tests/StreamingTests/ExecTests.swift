import Model
import Streaming
import Testing

extension StreamingTests {
    @Suite struct ExecTests {
        static let v4 = ["v4.channel.k8s.io"]

        @Test func streamsGoBothWaysAndTheStatusComesLast() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.all), Self.v4)
                #expect(client.version == "v4.channel.k8s.io")
                let streams = try await client.open(StreamChoice.all.types())
                let process = await fixture.target.session()
                #expect(
                    fixture.target.execs == [
                        ExecStream(container: fixture.container, command: ["true"], streams: .all)
                    ])
                streams["stdin"]?.write("question")
                #expect(await process.stdin.readText(8) == "question")
                streams["stdin"]?.finish()
                #expect(await process.stdin.readText(1) == "")
                await process.probe.wait(for: "inputEnded")

                await process.stdout.write("answer")
                await process.stderr.write("complaint")
                process.end(0)
                #expect(await streams["stdout"]?.log.whole().text == "answer")
                #expect(await streams["stderr"]?.log.whole().text == "complaint")
                #expect(await streams["error"]?.log.whole().text == #"{"metadata":{},"status":"Success"}"#)
                await client.ending.wait { $0.hasEnded }
                #expect(process.probe.count("abandon") == 0)
                await client.closed()
            }
        }

        struct Ending: Sendable {
            var version: String
            var code: Int32
            var text: String
        }

        static let endings: [Ending] = [
            .init(version: "v4.channel.k8s.io", code: 0, text: #"{"metadata":{},"status":"Success"}"#),
            .init(
                version: "v4.channel.k8s.io", code: 137,
                text: #"{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit "#
                    + #"status 137","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"137"}]}}"#
            ),
            .init(version: "v3.channel.k8s.io", code: 0, text: ""),
            .init(
                version: "v2.channel.k8s.io", code: 3,
                text: "command terminated with non-zero exit code: exit status 3"),
            .init(
                version: "channel.k8s.io", code: 1,
                text: "command terminated with non-zero exit code: exit status 1"),
        ]

        @Test(arguments: endings) func exitCodesAreToldAsTheVersionHasIt(_ ending: Ending) async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.output), [ending.version])
                let streams = try await client.open(StreamChoice.output.types())
                let process = await fixture.target.session()
                process.end(ending.code)
                #expect(await streams["error"]?.log.whole().text == ending.text)
                await client.closed()
            }
        }

        @Test func aCommandThatDoesNotStartIsAnInternalError() async throws {
            try await Fixture.run { fixture in
                fixture.target.fail(with: Fault(.notFound, "start \"x\"", cause: "no such \"file\"\n"))
                let client = try await SPDYClient(try fixture.execURL(.output), Self.v4)
                let streams = try await client.open(StreamChoice.output.types())
                let status = await streams["error"]?.log.whole().text
                let message = #"error executing command in container: start \"x\": no such \"file\"\u000a"#
                #expect(
                    status
                        == #"{"metadata":{},"status":"Failure","message":"Internal error occurred: \#(message)","#
                        + #""reason":"InternalError","details":{"causes":[{"message":"\#(message)"}]},"code":500}"#)
                #expect(await streams["stdout"]?.log.whole().text == "")
                await client.closed()
            }
        }

        @Test func aTerminalHasOneOutputAndASize() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.terminal), Self.v4)
                let streams = try await client.open(StreamChoice.terminal.types())
                let process = await fixture.target.session()
                streams["resize"]?.write("{\"Width\":120,\"Hei")
                streams["resize"]?.write("ght\":40}\n")
                await process.probe.wait(for: "resize")
                #expect(process.sizes == [.init(rows: 40, columns: 120)])
                streams["stdin"]?.write("ls\n")
                #expect(await process.stdin.readText(3) == "ls\n")
                await process.stdout.write("file\n")
                process.end(0)
                #expect(await streams["stdout"]?.log.whole().text == "file\n")
                #expect(await streams["error"]?.log.whole().text == #"{"metadata":{},"status":"Success"}"#)
                await client.closed()
            }
        }

        @Test func aVersionWithoutSizesNeedsNoStreamForThem() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.terminal), ["v2.channel.k8s.io"])
                let streams = try await client.open(StreamChoice.terminal.types(resize: false))
                let process = await fixture.target.session()
                process.end(0)
                _ = await streams["error"]?.log.whole()
                await client.closed()
            }
        }

        @Test func attachingTellsSuccessWhateverTheContainerEndedWith() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.attachURL(.all), Self.v4)
                let streams = try await client.open(StreamChoice.all.types())
                let process = await fixture.target.session()
                #expect(fixture.target.attaches.count == 1 && fixture.target.execs.isEmpty)
                await process.stdout.write("log")
                process.end(9)
                #expect(await streams["stdout"]?.log.whole().text == "log")
                #expect(await streams["error"]?.log.whole().text == #"{"metadata":{},"status":"Success"}"#)
                await client.closed()
            }
        }

        @Test func aChildThatKeepsTheOutputDoesNotHoldTheEnd() async throws {
            try await Fixture.run {
                $0.drainTime = .milliseconds(50)
            } _: { fixture in
                let client = try await SPDYClient(try fixture.execURL(.output), Self.v4)
                let streams = try await client.open(StreamChoice.output.types())
                let process = await fixture.target.session()
                await process.stdout.write("before the end")
                process.resolve(.success(0))
                #expect(await streams["error"]?.log.whole().text == #"{"metadata":{},"status":"Success"}"#)
                #expect(await streams["stdout"]?.log.whole().text == "before the end")
                await client.closed()
                process.closeAll()
            }
        }

        @Test func aProcessThatClosesItsInputDoesNotStallItsClient() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.all), Self.v4)
                let streams = try await client.open(StreamChoice.all.types())
                let process = await fixture.target.session()
                process.stdin.close()
                for _ in 0..<64 { try await streams["stdin"]?.writeAndWait([UInt8](repeating: 1, count: 1 << 16)) }
                process.end(0)
                _ = await streams["error"]?.log.whole()
                await client.closed()
            }
        }
    }
}
