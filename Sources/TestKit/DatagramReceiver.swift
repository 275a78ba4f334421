import Foundation
import Synchronization

/// A Unix socket that receives datagrams, as a service manager's does.
package final class DatagramReceiver: Sendable {
    /// As it was given.
    package let name: String
    private let descriptor: Int32
    private let stream: AsyncStream<String>
    private let kept = Mutex<[String]>([])

    /// - Parameter name: a path, or "@" and a name of the abstract namespace (unix(7)).
    package init(_ name: String) throws {
        self.name = name
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("socket: errno \(errno)") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0 else { throw TestFailure("bind \(name): errno \(errno)") }
        self.descriptor = descriptor
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        self.stream = stream
        let reader = Thread {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                continuation.yield(String(decoding: buffer[..<count], as: UTF8.self))
            }
            continuation.finish()
            close(descriptor)
        }
        reader.start()
    }

    deinit { end() }

    /// What came so far, whoever waited for it.
    package var all: [String] { kept.withLock { $0 } }

    /// Ends the receiver; who waits gets a failure.
    package func end() { shutdown(descriptor, Int32(SHUT_RD)) }

    /// Waits for a datagram with this line in it, and returns that datagram.
    @discardableResult
    package func wait(for line: String) async throws -> String {
        try await wait("\"\(line)\"") { $0.split(separator: "\n").contains { $0 == line } }
    }

    /// Waits for a datagram that fits; those before it are kept.
    @discardableResult
    package func wait(_ what: String, until fits: (String) -> Bool) async throws -> String {
        for await text in stream {
            kept.withLock { $0.append(text) }
            if fits(text) { return text }
        }
        throw TestFailure("the receiver ended without \(what): \(all)")
    }
}
