import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    /// Connections into the network of a pod.
    @Suite struct ConnectTests {
        @Test(arguments: [false, true]) func aServerOnEitherLoopbackIsReached(_ ipv6: Bool) async throws {
            try await withPod { pod in
                // A socket of the pod's namespace can serve there, wherever its holder is.
                let server = try await pod.client.makeSocket(ipv6: ipv6)
                let port = try server.fd.listenOnLoopback(ipv6: ipv6)
                let client = SharedDescriptor(try await pod.client.connect(to: port, within: .seconds(30)))
                let accepted = try server.fd.acceptConnection()
                try accepted.writeAll(bytes("hello"))
                #expect(try client.fd.waitReadable(milliseconds: 30_000))
                #expect(try client.fd.read(max: 10) == bytes("hello"))
                // It is the caller's to wait for.
                #expect(throws: Errno.again) { _ = try client.fd.read(max: 10) }
            }
        }

        @Test func whereNobodyListensItIsRefused() async throws {
            try await withPod { pod in
                for port: UInt16 in [1, 8080, 65_535] {
                    await #expect(throws: ConnectError.failed(.connectionRefused)) {
                        _ = SharedDescriptor(try await pod.client.connect(to: port, within: .seconds(30)))
                    }
                }
            }
        }

        /// A server that takes no more connections lets a client's first packet drop: it is never answered.
        @Test func whoDoesNotAnswerIsGivenUp() async throws {
            try await withPod { pod in
                let server = try await pod.client.makeSocket(ipv6: false)
                let port = try server.fd.listenOnLoopback(ipv6: false, backlog: 0)
                var waiting: [SharedDescriptor] = []
                var failure: ConnectError?
                while failure == nil, waiting.count < 8 {
                    do {
                        waiting.append(
                            SharedDescriptor(try await pod.client.connect(to: port, within: .milliseconds(100))))
                    } catch let error as ConnectError {
                        failure = error
                    }
                }
                #expect(failure == .failed(.timedOut))
            }
        }

        /// The test's own network has a server on the port; the pod's has none.
        @Test func aServerOutsideOfThePodIsNotReached() async throws {
            try await withPod { pod in
                let outside = try PodNetwork.makeSocket(ipv6: false)
                let port = try outside.listenOnLoopback(ipv6: false)
                await #expect(throws: ConnectError.failed(.connectionRefused)) {
                    _ = SharedDescriptor(try await pod.client.connect(to: port, within: .seconds(30)))
                }
            }
        }
    }
}

extension OwnedFD {
    /// Listens on a free port of the loopback address of the socket's network.
    fileprivate func listenOnLoopback(ipv6: Bool, backlog: Int32 = 8) throws -> UInt16 {
        try withRaw { fd in
            var four = sockaddr_in()
            four.sin_family = sa_family_t(AF_INET)
            four.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_addr = in6addr_loopback
            let isBound =
                ipv6
                ? Self.bind(fd, &six) && listen(fd, backlog) == 0 : Self.bind(fd, &four) && listen(fd, backlog) == 0
            guard isBound else { throw TestFailure("no server: errno \(errno)") }
            return UInt16(bigEndian: ipv6 ? six.sin6_port : four.sin_port)
        }
    }

    private static func bind<Address>(_ fd: Int32, _ address: inout Address) -> Bool {
        var size = socklen_t(MemoryLayout<Address>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(fd, $0, size) == 0 && getsockname(fd, $0, &size) == 0
            }
        }
    }

    /// Waits for a client.
    fileprivate func acceptConnection() throws -> OwnedFD {
        guard try waitReadable(milliseconds: 30_000) else { throw TestFailure("nobody came") }
        return try withRaw { fd in
            let accepted = accept(fd, nil, nil)
            guard accepted >= 0 else { throw TestFailure("accept: errno \(errno)") }
            return OwnedFD(taking: accepted)
        }
    }
}
