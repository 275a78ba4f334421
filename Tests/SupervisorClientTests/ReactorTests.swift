import Linux
import SupervisorClient
import Synchronization
import TestKit
import Testing

@Suite struct ReactorTests {
    @Test func aCollectorKeepsWhatItMayAndReadsTheRest() async throws {
        try await withReactor { reactor in
            let pipe = try Pipe(nonBlockingReader: true)
            let collector = PipeCollector(try pipe.reading.duplicate(), bytesMax: 100_000, reactor: reactor)
            let writer = SharedDescriptor(try pipe.writing.duplicate())
            let whole = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            // More than a pipe holds: it returns only because the reader goes on reading.
            try await BlockingPool(name: "writer", threadsMax: 1).run { try writer.fd.writeAll(whole) }
            let output = await collector.output(within: .milliseconds(1))
            #expect(output.isTruncated && !output.isComplete)
            #expect(output.bytes == Array(whole.prefix(100_000)))
        }
    }

    @Test func aCollectorEndsWithItsPipe() async throws {
        try await withReactor { reactor in
            let (collector, writer) = try collectorAndWriter(reactor, bytesMax: 5)
            try writer.fd.writeAll(bytes("exact"))
            _ = consume writer
            let output = await collector.output(within: .seconds(60))
            #expect(output == CollectedOutput(bytes: bytes("exact"), isTruncated: false, isComplete: true))
        }
    }

    /// What was written before anybody looks is all there, up to what a pipe holds.
    @Test(arguments: [0, 1, 65_536], [true, false]) func aCollectorThatNeverWatchedReadsWhatIsThere(
        _ count: Int, _ hasEnded: Bool
    ) async throws {
        try await withReactor { reactor in
            let (collector, writer) = try collectorAndWriter(reactor, bytesMax: 100_000, watching: false)
            let written = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
            try writer.fd.writeAll(written)
            var kept: SharedDescriptor? = writer
            _ = consume writer
            if hasEnded { kept = nil }
            let output = await collector.output(within: hasEnded ? .seconds(60) : .milliseconds(1))
            #expect(output == CollectedOutput(bytes: written, isTruncated: false, isComplete: hasEnded))
            _ = kept
        }
    }

    @Test func aCollectorThatNeverWatchedWaitsForTheRest() async throws {
        try await withReactor { reactor in
            let (collector, writer) = try collectorAndWriter(reactor, bytesMax: 1 << 20, watching: false)
            let whole = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            try writer.fd.writeAll(Array(whole.prefix(10)))
            async let output = collector.output(within: .seconds(60))
            try await BlockingPool(name: "writer", threadsMax: 1).run { [writer] in
                try writer.fd.writeAll(Array(whole.dropFirst(10)))
            }
            _ = consume writer
            #expect(await output == CollectedOutput(bytes: whole, isTruncated: false, isComplete: true))
        }
    }

    /// From the moment that the caller reads, the reactor does not: what they read would come in any order.
    @Test func aCollectorHasOneReader() async throws {
        try await withReactor { reactor in
            let pipe = try Pipe(nonBlockingReader: true)
            let collector = PipeCollector(
                try pipe.reading.duplicate(), bytesMax: 100, reactor: reactor, watching: false)
            try pipe.writing.writeAll(bytes("a"))
            #expect(!collector.catchUp())
            collector.startWatching()
            try pipe.writing.writeAll(bytes("b"))
            #expect(!collector.catchUp())
            // What was asked of the reactor before is done when a deadline is told.
            let (told, telling) = AsyncStream<Void>.makeStream()
            _ = reactor.schedule(after: .milliseconds(20)) { telling.finish() }
            for await _ in told {}
            #expect(try pipe.reading.waitReadable(milliseconds: 0))
            collector.watchRest()
            _ = consume pipe
            let output = await collector.output(within: .seconds(60))
            #expect(output == CollectedOutput(bytes: bytes("ab"), isTruncated: false, isComplete: true))
        }
    }

    private func collectorAndWriter(
        _ reactor: Reactor, bytesMax: Int, watching: Bool = true
    ) throws -> (PipeCollector, SharedDescriptor) {
        let pipe = try Pipe(nonBlockingReader: true)
        return (
            PipeCollector(try pipe.reading.duplicate(), bytesMax: bytesMax, reactor: reactor, watching: watching),
            SharedDescriptor(try pipe.writing.duplicate())
        )
    }

    @Test func aStoppedReactorDropsWhatItWatchedAndWhatComesLater() async throws {
        let reactor = try await Reactor.start()
        let pipe = try Pipe(nonBlockingReader: true)
        let before = PipeCollector(try pipe.reading.duplicate(), bytesMax: 1, reactor: reactor)
        await reactor.shutdown()
        let after = PipeCollector(try pipe.reading.duplicate(), bytesMax: 1, reactor: reactor)
        for collector in [before, after] {
            #expect(await collector.output(within: .seconds(3_600)).isComplete == false)
        }
    }

    @Test func deadlinesRunInTheirOrderAndCancelledOnesDoNot() async throws {
        try await withReactor { reactor in
            let (stream, sink) = AsyncStream<Int>.makeStream()
            let never = reactor.schedule(after: .milliseconds(300)) { sink.yield(99) }
            _ = reactor.schedule(after: .milliseconds(350)) {
                sink.yield(2)
                sink.finish()
            }
            _ = reactor.schedule(after: .milliseconds(10)) { sink.yield(1) }
            reactor.cancel(never)
            var order: [Int] = []
            for await number in stream { order.append(number) }
            #expect(order == [1, 2])
        }
    }

    @Test func theEndOfAProcessIsSeen() async throws {
        try await withReactor { reactor in
            let program = try ProgramSpawn("/bin/sleep", arguments: [bytes("sleep"), bytes("600")]).start()
            let handle = ProcessHandle(Pidfd(try program.pidfd.fd.duplicate()))
            #expect(try await handle.waitForEnd(on: reactor, within: .milliseconds(1)) == false)
            #expect(try handle.signal(.kill))
            #expect(try await handle.waitForEnd(on: reactor, within: .seconds(60)))
            #expect(try program.pidfd.wait() == .signaled(.kill))
            #expect(try handle.signal(.kill) == false)
        }
    }
}
