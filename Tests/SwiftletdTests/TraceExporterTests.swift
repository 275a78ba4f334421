import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import TestKit
import Testing

@testable import Lifecycle
@testable import swiftletd

@Suite(.timeLimit(.minutes(5))) struct TraceExporterTests {
    private static let spansOfOne = SpanBuilder.count(SampleOperation.start())
    private static let full = UInt64((SpanQueue.waitingMax + 200) * spansOfOne)

    /// An exporter that does not make a test wait.
    private func exporter(to port: Int, _ lines: LogLines, deadline: Duration = .seconds(60)) -> TraceExporter {
        var timing = TraceExporter.Timing()
        timing.gathering = .milliseconds(1)
        timing.deadline = deadline
        timing.firstPause = .milliseconds(1)
        timing.longestPause = .milliseconds(10)
        let exporter = TraceExporter(
            to: .tcp(host: "127.0.0.1", port: port), builder: SpanBuilder(host: "node"), timing: timing,
            log: lines.logger)
        exporter.start()
        return exporter
    }

    private func fill(_ exporter: TraceExporter) {
        for _ in 0..<SpanQueue.waitingMax + 200 { exporter.ended(SampleOperation.start()) }
    }

    @Test func `spans come to the collector with what made them, and an end sends those that wait`() async throws {
        let socket = try LoopbackSocket()
        let collector = Collector()
        let server = try await collector.start(on: socket)
        let lines = LogLines()
        let exporter = exporter(to: socket.port, lines)
        exporter.ended(SampleOperation.start())
        await collector.wait { $0.count == Self.spansOfOne }
        exporter.ended(SampleOperation.start())
        await exporter.stop(within: .seconds(60))
        #expect(collector.spans.count == 2 * Self.spansOfOne)
        let resource = try #require(collector.requests.first?.resourceSpans.first)
        #expect(resource.resource.attributes["service.name"] == "swiftlet")
        #expect(resource.resource.attributes["service.version"] == Version.current)
        #expect(resource.resource.attributes["host.name"] == "node")
        #expect(resource.scopeSpans.first?.scope.name == "swiftletd")
        #expect(exporter.queue.counts == .init(exported: UInt64(2 * Self.spansOfOne)))
        // After the end nothing is taken up, and that is counted.
        exporter.ended(SampleOperation.start())
        #expect(exporter.queue.counts.lost == [.end: UInt64(Self.spansOfOne)])
        #expect(lines.all.isEmpty)
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    @Test func `a caller that does not record its trace gets no spans`() async throws {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
        let socket = try LoopbackSocket()
        let collector = Collector()
        let server = try await collector.start(on: socket)
        let exporter = exporter(to: socket.port, LogLines())
        exporter.ended(SampleOperation.start(caller: try #require(TraceParent(header: header + "00"))))
        exporter.ended(SampleOperation.start(caller: try #require(TraceParent(header: header + "01"))))
        await exporter.stop(within: .seconds(60))
        #expect(collector.spans.count == Self.spansOfOne)
        #expect(exporter.queue.counts.allLost == 0)
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    @Test func `an unreachable collector costs the spans beyond the queue and one line; the rest comes when it does`()
        async throws
    {
        let socket = try LoopbackSocket()
        let lines = LogLines()
        let exporter = exporter(to: socket.port, lines)
        fill(exporter)
        await lines.wait(for: 1)
        #expect(lines.all[0].hasPrefix("warning traces are not exported"))
        #expect(lines.all[0].contains("connection refused"))
        let lost = exporter.queue.counts.lost
        #expect(lost[.queueFull] ?? 0 > 0 && lost.count == 1)
        let collector = Collector()
        let server = try await collector.start(on: socket)
        await lines.wait(for: 2)
        #expect(lines.all[1].hasPrefix("notice traces are exported again"))
        await exporter.stop(within: .seconds(60))
        let counts = exporter.queue.counts
        #expect(counts.lost == lost && counts.exported + counts.allLost == Self.full)
        #expect(UInt64(collector.spans.count) == counts.exported)
        #expect(lines.all.count == 2)
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    @Test func `a collector that never answers costs the spans, one line, and no more than its time at the end`()
        async throws
    {
        let socket = try LoopbackSocket()
        let collector = Collector { _ in
            // Until the call is cancelled.
            for await _ in AsyncStream<Void>.makeStream().stream {}
            throw GRPCStatus(code: .unavailable)
        }
        let server = try await collector.start(on: socket)
        let lines = LogLines()
        let exporter = exporter(to: socket.port, lines, deadline: .milliseconds(20))
        fill(exporter)
        await lines.wait(for: 1)
        #expect(lines.all[0].contains("deadline"))
        await exporter.stop(within: .milliseconds(100))
        let counts = exporter.queue.counts
        #expect(counts.exported == 0 && counts.allLost == Self.full)
        #expect(counts.lost[.queueFull] ?? 0 > 0 && counts.lost[.end] ?? 0 > 0)
        #expect(lines.all.count == 2 && lines.all[1].hasPrefix("warning spans are lost with the daemon's end"))
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    @Test func `a collector that refuses gets no batch twice`() async throws {
        let socket = try LoopbackSocket()
        let collector = Collector { _ in throw GRPCStatus(code: .invalidArgument, message: "not\nthese\u{1b}[1m") }
        let server = try await collector.start(on: socket)
        let lines = LogLines()
        let exporter = exporter(to: socket.port, lines)
        exporter.ended(SampleOperation.start())
        await lines.wait(for: 1)
        #expect(lines.all[0].contains("not these") && !lines.all[0].contains("\u{1b}"))
        exporter.ended(SampleOperation.start())
        await exporter.stop(within: .seconds(60))
        #expect(exporter.queue.counts.lost == [.refused: UInt64(2 * Self.spansOfOne)])
        #expect(lines.all.count == 1)
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    @Test(arguments: [(Int64(1), UInt64(1)), (.max, 4), (.min, 0)])
    func `spans that a collector says it rejected are counted, as far as it was given any`(
        rejected: Int64, lost: UInt64
    ) async throws {
        let socket = try LoopbackSocket()
        let collector = Collector { _ in
            .with {
                $0.partialSuccess.rejectedSpans = rejected
                $0.partialSuccess.errorMessage = String(repeating: "x\u{7}", count: 20_000)
            }
        }
        let server = try await collector.start(on: socket)
        let lines = LogLines()
        let exporter = exporter(to: socket.port, lines)
        exporter.ended(SampleOperation.start())
        await exporter.stop(within: .seconds(60))
        let counts = exporter.queue.counts
        #expect(counts.exported == UInt64(Self.spansOfOne) - lost && counts.allLost == lost)
        #expect(lines.all.count == (lost > 0 ? 1 : 0))
        #expect(lines.all.allSatisfy { $0.utf8.count < 1000 && !$0.contains("\u{7}") })
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "\0\0\0\u{4}\0\0\0\0\0", ""])
    func `what speaks no gRPC at all costs the spans and one line`(answer: String) async throws {
        let socket = try LoopbackSocket()
        let stranger = try Stranger(socket, answer: answer)
        let lines = LogLines()
        let exporter = exporter(to: socket.port, lines, deadline: .milliseconds(200))
        exporter.ended(SampleOperation.start())
        await lines.wait(for: 1)
        exporter.ended(SampleOperation.start())
        await exporter.stop(within: .milliseconds(100))
        stranger.stop()
        let counts = exporter.queue.counts
        #expect(counts.exported == 0 && counts.allLost == UInt64(2 * Self.spansOfOne))
        #expect(lines.all.count { $0.hasPrefix("warning traces are not exported") } == 1)
    }
}

/// Takes connections, answers each with the same bytes whatever is said, and closes it.
private final class Stranger: Sendable {
    private let descriptor: Int32

    init(_ socket: LoopbackSocket, answer: String) throws {
        descriptor = socket.descriptor
        guard listen(descriptor, 16) == 0 else { throw TestFailure("listen: errno \(errno)") }
        let bytes = Array(answer.utf8)
        Thread { [descriptor] in
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                close(connection)
            }
            close(descriptor)
        }.start()
    }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
