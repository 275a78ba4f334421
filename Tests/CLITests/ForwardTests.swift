import ArgumentParser
import CLICore
import Foundation
import Glibc
import Linux
import Model
import Synchronization
import Testing

@testable import swiftlet

@Suite(.serialized, .timeLimit(.minutes(2))) struct ForwardTests {
    static let pairs: [(String, PortPair?)] = [
        ("80", PortPair(local: 80, remote: 80)), ("8080:80", PortPair(local: 8080, remote: 80)),
        (":80", PortPair(local: 0, remote: 80)), ("0:80", PortPair(local: 0, remote: 80)), ("", nil), (":", nil),
        ("80:", nil), ("0", nil), ("1:0", nil), ("65536", nil), ("1:2:3", nil), ("-1", nil), ("+80", nil),
        ("a:80", nil),
    ]

    @Test("ports are read as kubectl reads them", arguments: pairs)
    func pair(text: String, pair: PortPair?) { #expect(PortPair(argument: text) == pair) }

    /// The local port out of "Forwarding from 127.0.0.1:PORT -> 80".
    private func port(_ program: Executable, _ remote: UInt16, on address: String = "127.0.0.1") async throws -> UInt16
    {
        let end = " -> \(remote)\n"
        try await program.waitForOutput { $0.contains("\(address):") && $0.contains(end) }
        let line = program.out.split(separator: "\n").first {
            $0.contains("from \(address):") && $0.hasSuffix(end.dropLast())
        }
        let digits = line?.split(separator: ":").last?.prefix { $0.isNumber }
        return try #require(digits.flatMap { UInt16($0) })
    }

    @Test("bytes go both ways over many connections, and each side may end first", arguments: StreamTests.transports)
    func forwarding(transport: String) async throws {
        let server = try EchoServer()
        try await StreamFixture.with { fixture in
            let program = try Executable.start(
                ["-r", fixture.runtime.endpoint, "port-forward", "-r", transport, "0001", ":\(server.port)"])
            defer { program.end() }
            let local = try await port(program, server.port)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let bytes = (0..<(number * 50_000)).map { UInt8(truncatingIfNeeded: $0 &* number) }
                        let echo = try await exchange(local, bytes)
                        #expect(echo == bytes)
                    }
                }
                try await group.waitForAll()
            }
            #expect(program.error == "")
        }
    }

    @Test("a port that nobody listens on is said, and ends no other connection", arguments: StreamTests.transports)
    func refused(transport: String) async throws {
        let server = try EchoServer()
        try await StreamFixture.with { fixture in
            let program = try Executable.start(
                ["-r", fixture.runtime.endpoint, "port-forward", "-r", transport, "0001", ":1", ":\(server.port)"])
            defer { program.end() }
            let (dead, live) = (try await port(program, 1), try await port(program, server.port))
            let open = try Connection(live)
            #expect(try await exchange(dead, [1, 2, 3]) == [])
            try await program.waitForError("swiftlet: forward a connection to port 1: ")
            #expect(program.error.contains("connection refused"))
            try await open.send([4, 5])
            #expect(try await open.finish() == [4, 5])
        }
    }

    @Test("a local port that is taken is said; only if none is left the program ends")
    func taken() async throws {
        let server = try EchoServer()
        try await StreamFixture.with { fixture in
            let taken = "\(server.port):\(server.port)"
            let alone = try await fixture.swiftlet(["port-forward", "--address", "127.0.0.1", "0001", taken])
            #expect(alone.status == 1)
            #expect(alone.err.contains("listen on port \(server.port) of 127.0.0.1: the address is in use already\n"))
            let program = try Executable.start(
                ["-r", fixture.runtime.endpoint, "port-forward", "--address", "127.0.0.1", "0001", taken, ":7"])
            defer { program.end() }
            _ = try await port(program, 7)
            try await program.waitForError("listen on port \(server.port)")
        }
    }

    @Test("the runtime's end of the forwarding ends the program with a sentence")
    func serverGone() async throws {
        let (ports, found) = AsyncStream.makeStream(of: Executable.self)
        try await StreamFixture.with { fixture in
            let program = try Executable.start(["-r", fixture.runtime.endpoint, "port-forward", "0001", ":7"])
            _ = try await port(program, 7)
            found.yield(program)
        }
        for await program in ports {
            #expect(try await program.exitStatus() == 1)
            #expect(program.error.contains("the runtime ended the forwarding"))
            return
        }
    }
}

/// Sends bytes to a port of 127.0.0.1, ends the sending, and returns what came back until the end.
func exchange(_ port: UInt16, _ bytes: [UInt8]) async throws -> [UInt8] {
    let connection = try Connection(port)
    async let sent: Void = connection.sendAndEnd(bytes)
    let received = try await connection.receiveAll()
    try await sent
    return received
}

/// A client's connection, with its blocking calls on threads of their own.
final class Connection: Sendable {
    private let handle: FileHandle
    private let pool = BlockingPool(name: "test-client", threadsMax: 2)

    init(_ port: UInt16) throws {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        handle = FileHandle(fileDescriptor: fd, closeOnDealloc: true)
        try withLoopback(port) { address, length in
            guard connect(fd, address, length) == 0 else { throw Failure("connect to port \(port): errno \(errno)") }
        }
    }

    func send(_ bytes: [UInt8]) async throws {
        // A peer that has closed is an end, not a failure of the test.
        try await pool.run { [handle] in do { try handle.write(contentsOf: Data(bytes)) } catch { return } }
    }

    func sendAndEnd(_ bytes: [UInt8]) async throws {
        try await send(bytes)
        shutdown(handle.fileDescriptor, Int32(SHUT_WR))
    }

    func receiveAll() async throws -> [UInt8] {
        try await pool.run { [handle] in
            do { return Array(try handle.readToEnd() ?? Data()) } catch { return [] }
        }
    }

    func finish() async throws -> [UInt8] {
        shutdown(handle.fileDescriptor, Int32(SHUT_WR))
        return try await receiveAll()
    }
}

/// A listener on 127.0.0.1 that sends back what it gets, and ends when its client has.
final class EchoServer: Sendable {
    let port: UInt16
    private let listener: FileHandle

    init() throws {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        listener = FileHandle(fileDescriptor: fd, closeOnDealloc: false)
        try withLoopback(0) { address, length in
            guard bind(fd, address, length) == 0, listen(fd, 64) == 0 else { throw Failure("listen: errno \(errno)") }
        }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread {
            while true {
                let client = accept(fd, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread { Self.echo(client) }
            }
        }
    }

    deinit {
        shutdown(listener.fileDescriptor, Int32(SHUT_RDWR))
        close(listener.fileDescriptor)
    }

    private static func echo(_ client: Int32) {
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(client, &bytes, bytes.count)
            var sent = 0
            while sent < count {
                let part = bytes[sent..<count].withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
                guard part > 0 else { break }
                sent += part
            }
            if count <= 0 || sent < count { break }
        }
        close(client)
    }
}

private func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    try withUnsafePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
