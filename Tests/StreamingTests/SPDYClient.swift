import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import SPDY
import Streaming
import Synchronization
import Testing

let clientGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

/// The host, port and path of one of our URLs.
struct Target {
    var host: String
    var port: Int
    var path: String

    init(_ url: String) throws {
        let rest = try #require(url.split(separator: "//", maxSplits: 1).last)
        let slash = try #require(rest.firstIndex(of: "/"))
        path = String(rest[slash...])
        let parts = rest[..<slash].split(separator: ":")
        host = String(parts[0])
        port = try #require(Int(parts[1]))
    }
}

/// A client of SPDY, used from tests' tasks.
final class SPDYClient: Sendable {
    let channel: any Channel
    /// What the server chose.
    let version: String
    /// Ended when the session has.
    let ending: StreamLog
    private let session: NIOLoopBound<SPDYSession>
    private let owner: NIOLoopBound<Owner>

    private final class Owner: SPDYSessionDelegate {
        let ending: StreamLog
        init(_ ending: StreamLog) { self.ending = ending }
        func session(_ session: SPDYSession, opened stream: SPDYStream) { stream.reset(.refusedStream) }
        func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?) { ending.update { $0.hasEnded = true } }
    }

    init(_ url: String, _ protocols: [String], tls: NIOSSLContext? = nil) async throws {
        let target = try Target(url)
        let loop = clientGroup.next()
        let upgraded = loop.makePromise(of: String.self)
        let ending = StreamLog()
        self.ending = ending
        let parts = try await loop.submit {
            let owner = Owner(ending)
            let session = try SPDYSession(role: .client, delegate: owner)
            return (NIOLoopBound(owner, eventLoop: loop), NIOLoopBound(session, eventLoop: loop))
        }.get()
        (owner, session) = parts
        let session = session
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
                            try channel.pipeline.syncOperations.addHandler(handler)
                        }
                        try channel.pipeline.syncOperations.addHandler(
                            SPDYUpgrade(
                                path: target.path, host: "\(target.host):\(target.port)", protocols: protocols,
                                session: session.value, upgraded: upgraded))
                    }
                }
                .connect(host: target.host, port: target.port).get()
        } catch {
            upgraded.fail(error)
            throw error
        }
        version = try await upgraded.futureResult.get()
    }

    func open(_ headers: SPDYHeaders) async throws -> SPDYClientEnd {
        let session = session
        let loop = channel.eventLoop
        return try await loop.submit { try SPDYClientEnd(headers, session.value, loop) }.get()
    }

    /// A stream for each type, once the server has accepted it.
    func open(_ types: [String]) async throws -> [String: SPDYClientEnd] {
        var ends: [String: SPDYClientEnd] = [:]
        for type in types {
            let end = try await open(["streamType": type])
            await end.log.wait { $0.isAccepted || $0.isReset }
            ends[type] = end
        }
        return ends
    }

    func close() async {
        channel.eventLoop.execute { [session] in session.value.close() }
        await closed()
    }

    /// Drops the connection with a RST.
    func abort() async throws {
        try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        channel.close(promise: nil)
        await closed()
    }

    func closed() async { await becomesClosed(channel) }

    func setReading(_ isOn: Bool) async throws {
        try await channel.setOption(ChannelOptions.autoRead, value: isOn).get()
    }
}

/// A client's end of a stream.
final class SPDYClientEnd: Sendable {
    let log = StreamLog()
    private let stream: NIOLoopBound<SPDYStream>
    private let loop: any EventLoop
    private let writable = Probe()

    private final class Listener: SPDYStreamDelegate {
        let log: StreamLog
        let writable: Probe
        init(_ log: StreamLog, _ writable: Probe) {
            self.log = log
            self.writable = writable
        }

        func streamAccepted(_ stream: SPDYStream) { log.update { $0.isAccepted = true } }
        func stream(_ stream: SPDYStream, received bytes: ByteBuffer) {
            log.add(bytes)
            stream.consumed(bytes.readableBytes)
        }
        func streamEnded(_ stream: SPDYStream) { log.update { $0.hasEnded = true } }
        func streamReset(_ stream: SPDYStream, _ status: SPDYResetStatus) { log.update { $0.isReset = true } }
        func streamBecameWritable(_ stream: SPDYStream) { writable.signal("writable") }
    }

    /// On the loop.
    init(_ headers: SPDYHeaders, _ session: SPDYSession, _ loop: any EventLoop) throws {
        let stream = try #require(session.open(headers, delegate: Listener(log, writable)))
        self.stream = NIOLoopBound(stream, eventLoop: loop)
        self.loop = loop
    }

    func write(_ text: String) { write(Array(text.utf8)) }
    func write(_ bytes: [UInt8]) { loop.execute { [stream] in stream.value.write(ByteBuffer(bytes: bytes)) } }
    func finish() { loop.execute { [stream] in stream.value.finish() } }
    func reset() { loop.execute { [stream] in stream.value.reset(.cancel) } }

    /// Writes, and waits for the server to have room for more.
    func writeAndWait(_ bytes: [UInt8]) async throws {
        let before = writable.count("writable")
        let isWritable = try await loop.submit { [stream] in
            stream.value.write(ByteBuffer(bytes: bytes))
            return stream.value.isWritable
        }.get()
        if !isWritable { await writable.wait(for: "writable", count: before + 1) }
    }
}
