import CLinux

/// The few network calls that a supervisor makes in its pod's network namespace.
package enum PodNetwork {
    /// Sets IFF_UP on `lo`: the kernel then gives it 127.0.0.1 and ::1.
    package static func bringLoopbackUp() throws(Errno) { try check(cl_loopback_up()) }

    /// A non-blocking TCP socket, which stays in this namespace wherever it is passed.
    package static func makeSocket(ipv6: Bool) throws(Errno) -> OwnedFD {
        OwnedFD(taking: descriptor(try check(cl_tcp_socket(ipv6 ? 1 : 0))))
    }
}
