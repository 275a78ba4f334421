import CLinux

/// The few network calls that a supervisor makes in its pod's network namespace.
package enum PodNetwork {
    /// Sets IFF_UP on `lo`: the kernel then gives it 127.0.0.1 and ::1.
    package static func bringLoopbackUp() throws(Errno) { try check(cl_loopback_up()) }

    /// A non-blocking TCP socket, which stays in this namespace wherever it is passed.
    package static func makeSocket(ipv6: Bool) throws(Errno) -> OwnedFD {
        OwnedFD(taking: descriptor(try check(cl_tcp_socket(ipv6 ? 1 : 0))))
    }

    /// Connects such a socket to 127.0.0.1 or ::1 of its namespace. False: the answer comes when it is writable.
    package static func connect(_ socket: borrowing OwnedFD, ipv6: Bool, port: UInt16) throws(Errno) -> Bool {
        do throws(Errno) {
            // Not repeated after EINTR: it goes on (connect(2)).
            try check(cl_connect_loopback(socket.raw, ipv6 ? 1 : 0, port))
            return true
        } catch Errno.inProgress, Errno.interrupted {
            return false
        }
    }

    /// What a connection that was under way came to: throws why it failed.
    package static func checkConnected(_ socket: borrowing OwnedFD) throws(Errno) {
        try check(cl_socket_error(socket.raw))
    }
}
