import NIOCore
import NIOPosix
import NIOSSL

/// Requests of probes and hooks over the network, each over a connection of its own.
enum NetworkProbe {
    /// Connects and hangs up; nil if that went well, else why not.
    static func connect(host: String, port: Int, within limit: Duration) async -> String? {
        do {
            let channel = try await open(host, port, limit)
            channel.close(promise: nil)
            return nil
        } catch {
            return text(error)
        }
    }

    /// GETs a path; nil for the statuses 200 to 399, else why not. Redirections are not followed: they are an answer.
    static func get(
        host: String, port: Int, path: String, headers: [(name: String, value: String)], isSecure: Bool = false,
        within limit: Duration
    ) async -> String? {
        let start = ContinuousClock.now
        do {
            let channel = try await open(host, port, limit)
            defer { channel.close(promise: nil) }
            let left = max(.milliseconds(1), limit - (ContinuousClock.now - start))
            let status = try await channel.eventLoop.flatSubmit {
                let answer = channel.eventLoop.makePromise(of: Int.self)
                do {
                    if isSecure { try channel.pipeline.syncOperations.addHandler(unverified()) }
                    try channel.pipeline.syncOperations.addHandler(StatusLine(answer))
                } catch {
                    answer.fail(error)
                }
                channel.eventLoop.scheduleTask(in: .init(left)) { answer.fail(ProbeFailure("no answer in time")) }
                let bytes = channel.allocator.buffer(string: request(host, port, path, headers))
                channel.writeAndFlush(bytes).cascadeFailure(to: answer)
                channel.setOption(.autoRead, value: true).cascadeFailure(to: answer)
                return answer.futureResult
            }.get()
            return (200..<400).contains(status) ? nil : "HTTP status \(status)"
        } catch {
            return text(error)
        }
    }

    /// As a kubelet: whose certificate it is does not matter to the question whether somebody answers.
    private static func unverified() throws -> NIOSSLClientHandler {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        return try NIOSSLClientHandler(context: NIOSSLContext(configuration: tls), serverHostname: nil)
    }

    private static func open(_ host: String, _ port: Int, _ limit: Duration) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.init(limit)).channelOption(.autoRead, value: false)
            .connect(host: host, port: port).get()
    }

    private static func request(
        _ host: String, _ port: Int, _ path: String, _ headers: [(name: String, value: String)]
    ) -> String {
        let given = Set(headers.map { $0.name.lowercased() })
        var lines = ["GET \(path.hasPrefix("/") ? path : "/" + path) HTTP/1.1"]
        if !given.contains("host") { lines.append("Host: \(host.contains(":") ? "[\(host)]" : host):\(port)") }
        if !given.contains("user-agent") { lines.append("User-Agent: swiftlet-play") }
        if !given.contains("accept") { lines.append("Accept: */*") }
        lines += headers.map { "\($0.name): \($0.value)" } + ["Connection: close", "", ""]
        return lines.joined(separator: "\r\n")
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case let failure as ProbeFailure: failure.description
        case ChannelError.connectTimeout: "no connection in time"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { "\($0.error)" } ?? "no address for \(error.host)"
        default: "\(error)"
        }
    }
}

/// Why a probe got no status.
private struct ProbeFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Reads the status of an HTTP answer, and no more of it.
private final class StatusLine: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let bytesMax = 4096

    private let answer: EventLoopPromise<Int>
    private var line: [UInt8] = []

    init(_ answer: EventLoopPromise<Int>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        line += unwrapInboundIn(data).readableBytesView.prefix(Self.bytesMax - line.count)
        if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
            let words = String(decoding: line[..<end], as: UTF8.self).split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
                return answer.fail(ProbeFailure("the answer is not HTTP"))
            }
            answer.succeed(status)
        } else if line.count >= Self.bytesMax {
            answer.fail(ProbeFailure("the answer is not HTTP"))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(ProbeFailure("the connection was closed")) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
