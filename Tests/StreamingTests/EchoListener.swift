import Glibc
import Testing

/// A TCP port of a pod: what it does with connections is up to the test.
final class EchoListener: Sendable {
    private let fd: Int32
    private let address: sockaddr_in

    init() {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fd = fd
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, length) == 0 && listen(fd, 256) == 0 && getsockname(fd, $0, &length) == 0
            }
        }
        #expect(bound)
        self.address = address
    }

    deinit { close(fd) }

    /// A connected, non-blocking socket, as a target gives it.
    func connect() -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = address
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        #expect(connected)
        setNonBlocking(client)
        return client
    }

    /// The pod's end of the next connection.
    func accept() async -> FarEnd {
        let fd = fd
        return FarEnd(await onThread { Glibc.accept(fd, nil, nil) })
    }
}
