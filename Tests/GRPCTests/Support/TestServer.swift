import Foundation
import GRPC
import SwiftProtobuf
import Synchronization
import Testing

typealias Text = Google_Protobuf_StringValue
typealias Number = Google_Protobuf_Int64Value
typealias Bytes = Google_Protobuf_BytesValue

/// A server with a few methods of well-known types, on a socket in a directory of its own.
final class TestServer: Sendable {
    let directory: String
    let path: String
    let probe: Probe
    let server: GRPCServer
    private let reports: Reports

    var callReports: [CallReport] { reports.all }

    /// Starts a server, runs the body, and stops the server however the body ends.
    static func with<Result>(
        _ configure: (inout GRPCServerConfiguration) -> Void = { _ in },
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        var configuration = GRPCServerConfiguration()
        configure(&configuration)
        let server = try await TestServer(configuration)
        do {
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try await server.stop()
            throw error
        }
    }

    /// Starts a server and a client of it.
    static func withClient<Result>(
        _ configure: (inout GRPCServerConfiguration) -> Void = { _ in },
        _ body: (TestServer, GRPCClient) async throws -> Result
    ) async throws -> Result {
        try await with(configure) { server in
            let client = try await GRPCClient(unixPath: server.path)
            do {
                let result = try await body(server, client)
                await client.close()
                return result
            } catch {
                await client.close()
                throw error
            }
        }
    }

    private init(_ configuration: GRPCServerConfiguration) async throws {
        directory = try temporaryDirectory()
        path = directory + "/s"
        probe = Probe()
        reports = Reports()
        var configuration = configuration
        let (reports, probe) = (reports, probe)
        configuration.onCallEnd = {
            reports.append($0)
            probe.signal("report")
        }
        let shutdown = ShutdownHook()
        server = try await GRPCServer.start(
            methods(probe, shutdown: shutdown), at: .unix(path: path), configuration: configuration)
        shutdown.set(server)
    }

    private func stop() async throws {
        await server.shutdown(grace: .seconds(10))
        try FileManager.default.removeItem(atPath: directory)
    }

    /// Calls with longer and longer timeouts until one was long enough for the body to start on this machine.
    func untilBodyRuns(_ call: (_ timeout: Duration) async throws -> Void) async throws {
        var timeout = Duration.milliseconds(20)
        while probe.count("hanging") == 0 {
            try await call(timeout)
            timeout *= 2
        }
    }

    /// Sockets that carry this server's path: the listener and the connections that it accepted (/proc/net/unix).
    func socketInodes() throws -> [String] {
        let file = try #require(FileHandle(forReadingAtPath: "/proc/net/unix"))
        let table = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        let lines = table.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        return lines.filter { $0.count == 8 && $0[7] == path }.map { String($0[6]) }
    }
}

/// What the server told at the end of calls.
private final class Reports: Sendable {
    private let reports = Mutex<[CallReport]>([])
    var all: [CallReport] { reports.withLock { $0 } }
    func append(_ report: CallReport) { reports.withLock { $0.append(report) } }
}

/// Lets a method begin the shutdown of the server that it belongs to.
private final class ShutdownHook: Sendable {
    private let server = Mutex<GRPCServer?>(nil)
    func set(_ server: GRPCServer) { self.server.withLock { $0 = server } }
    func begin() {
        let server = server.withLock { $0 }
        Task { await server?.shutdown(grace: .seconds(10)) }
    }
}

func temporaryDirectory() throws -> String {
    var template = Array("/tmp/grpc-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw POSIXError(.EIO) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func methods(_ probe: Probe, shutdown: ShutdownHook) -> [GRPCMethod] {
    [
        .inline("/test.Echo/Inline") { (request: Text, _) throws(GRPCStatus) -> Text in request },
        .unary("/test.Echo/Unary") { (request: Text, _) -> Text in request },
        .inline("/test.Echo/Size") { (request: Bytes, _) throws(GRPCStatus) -> Number in
            Number(Int64(request.value.count))
        },
        .inline("/test.Echo/Big") { (request: Number, _) throws(GRPCStatus) -> Bytes in
            Bytes(Data(repeating: 7, count: Int(request.value)))
        },
        // "<code> <message>"
        .unary("/test.Echo/Fail") { (request: Text, _) -> Text in
            let parts = request.value.split(separator: " ", maxSplits: 1)
            let code = Int(parts[0]).flatMap(GRPCStatus.Code.init(rawValue:)) ?? .unknown
            throw GRPCStatus(code: code, message: String(parts.dropFirst().first ?? ""), details: [1, 2, 255])
        },
        .inline("/test.Echo/FailInline") { (_: Text, _) throws(GRPCStatus) -> Text in
            throw GRPCStatus(code: .aborted, message: "inline")
        },
        .unary("/test.Echo/Throw") { (_: Text, _) -> Text in throw CocoaError(.fileNoSuchFile) },
        // The value of a header; for "-bin" names the decoded bytes, as numbers.
        .inline("/test.Echo/Header") { (request: Text, context) throws(GRPCStatus) -> Text in
            let name = request.value
            if name.hasSuffix("-bin") {
                return Text(context.metadata.binary(name).map { "\($0)" }.joined(separator: ";"))
            }
            return Text(context.metadata[name].joined(separator: ";"))
        },
        .inline("/test.Echo/Peer") { (_: Text, context) throws(GRPCStatus) -> Text in
            Text("\(context.peer?.processID ?? 0) \(context.peer?.userID ?? 9) \(context.peer?.groupID ?? 9)")
        },
        .unary("/test.Echo/Remaining") { (_: Text, context) -> Number in
            Number(context.deadline.map { (ContinuousClock.now.duration(to: $0)).components.seconds } ?? -1)
        },
        .unary("/test.Echo/Hang") { (_: Text, _) -> Text in
            await hang(probe)
            throw CancellationError()
        },
        .unary("/test.Echo/AwaitEvent") { (request: Text, _) -> Text in
            let parts = request.value.split(separator: " ")
            probe.signal("awaiting")
            await probe.wait(for: String(parts[0]), count: Int(parts[1]) ?? 1)
            return request
        },
        .inline("/test.Echo/EventCount") { (request: Text, _) throws(GRPCStatus) -> Number in
            Number(Int64(probe.count(request.value)))
        },
        .serverStream("/test.Echo/Count") { (request: Number, _, writer: ResponseWriter<Number>) in
            for number in 0..<request.value { try await writer.write(Number(number)) }
        },
        // Counts, then fails.
        .serverStream("/test.Echo/CountAndFail") { (request: Number, _, writer: ResponseWriter<Number>) in
            for number in 0..<request.value { try await writer.write(Number(number)) }
            throw GRPCStatus(code: .dataLoss, message: "enough")
        },
        // Sends 16 KiB messages until it is cancelled.
        .serverStream("/test.Echo/Flood") { (_: Text, _, writer: ResponseWriter<Bytes>) in
            defer { probe.signal("flood") }
            let message = Bytes(Data(repeating: 1, count: 16 << 10))
            while true {
                try await writer.write(message)
                probe.signal("flooded")
            }
        },
        .serverStream("/test.Echo/Subscribe") { (_: Text, _, writer: ResponseWriter<Text>) in
            try await writer.start()
            await hang(probe)
        },
        // Runs until the shutdown, which BeginShutdown starts, is under way.
        .unary("/test.Echo/Finish") { (request: Text, _) -> Text in
            probe.signal("finish started")
            await probe.wait(for: "shutdown begun")
            return request
        },
        .unary("/test.Echo/BeginShutdown") { (request: Text, _) -> Text in
            await probe.wait(for: "finish started")
            shutdown.begin()
            probe.signal("shutdown begun")
            return request
        },
    ]
}

/// Waits until the task is cancelled, and tells so.
private func hang(_ probe: Probe) async {
    probe.signal("hanging")
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    for await _ in stream {}
    withExtendedLifetime(continuation) {}
    probe.signal("cancelled")
}
