package import Linux

extension SupervisorConnection {
    /// A connection to a port of the pod's own loopback, at 127.0.0.1 or else at ::1; non-blocking.
    ///
    /// `deadline` is for each of the two. Throws why 127.0.0.1 failed where both do.
    package func connect(to port: UInt16, within deadline: Duration) async throws(ConnectError) -> OwnedFD {
        do throws(ConnectError) {
            return try await connect(to: port, ipv6: false, within: deadline)
        } catch .failed(let errno) {
            do throws(ConnectError) {
                return try await connect(to: port, ipv6: true, within: deadline)
            } catch {
                throw .failed(errno)
            }
        } catch {
            throw error
        }
    }

    private func connect(
        to port: UInt16, ipv6: Bool, within deadline: Duration
    ) async throws(ConnectError) -> OwnedFD {
        let socket: SharedDescriptor
        do throws(SupervisorError) {
            socket = try await makeSocket(ipv6: ipv6)
        } catch .refused(_, let errno, _) {
            // A kernel without IPv6: EAFNOSUPPORT.
            throw .failed(errno)
        } catch {
            throw .supervisor(error)
        }
        do throws(Errno) {
            if try !PodNetwork.connect(socket.fd, ipv6: ipv6, port: port) {
                guard try await Connecting(socket).end(on: reactor, within: deadline) else { throw Errno.timedOut }
                try PodNetwork.checkConnected(socket.fd)
            }
            return try socket.fd.duplicate()
        } catch {
            throw .failed(error)
        }
    }
}

/// Why nobody was reached in a pod.
package enum ConnectError: Error, Equatable, Sendable {
    /// connect(2) failed, or there is no socket of this kind.
    case failed(Errno)
    case supervisor(SupervisorError)
}

/// One wait for the answer to connect(2): the socket is writable then.
private final class Connecting: Watched {
    private let socket: SharedDescriptor
    private let waiter = OneShot<Result<Bool, Errno>>()

    init(_ socket: SharedDescriptor) { self.socket = socket }

    /// False when the time has passed before.
    func end(on reactor: Reactor, within time: Duration) async throws(Errno) -> Bool {
        let token = reactor.add(self, .writable)
        let deadline = reactor.schedule(after: time) { self.waiter.resolve(.success(false)) }
        let result = await waiter.value()
        reactor.cancel(deadline)
        reactor.remove(token)
        return try result.get()
    }

    func withWatched(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno) { try body(socket.fd) }

    func ready(_ events: Epoll.Events) -> Bool {
        waiter.resolve(.success(true))
        return false
    }

    func dropped(_ reason: Errno) { waiter.resolve(.failure(reason)) }
}
