// Streams are the daemon's work: this file is not part of the launcher's Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    /// Whether the other end of a TCP connection is still there. The sockets stay their owner's.
    package enum TCPConnection {
        /// Has the kernel ask after the other end when it is silent (tcp(7)): a node that vanishes says nothing, and without bytes to send
        /// nobody misses its answers.
        package static func keepAlive(
            _ socket: Int32, afterSeconds idle: Int32, everySeconds interval: Int32, probes: Int32
        ) throws(Errno) {
            try check(cl_tcp_keep_alive(socket, idle, interval, probes))
        }

        /// Whether a process of this network namespace had the other end and has closed it, also where the connection does not tell: a
        /// FIN stays behind bytes that do not fit into this end's receive buffer. False where the other end is elsewhere.
        package static func isPeerClosed(_ socket: Int32) throws(Errno) -> Bool {
            var peer = cl_tcp_peer()
            do throws(Errno) {
                // The place outlives the call.
                try check(unsafe cl_find_tcp_peer(socket, &peer))
            } catch Errno.noEntry {
                return false
            }
            return peer.inode == 0 && ![established, synSent, synReceived].contains(peer.state)
        }

        // linux/tcp_states.h. Sockets have no inode in these states either, for as long as nobody has accepted them.
        private static let established: UInt8 = 1
        private static let synSent: UInt8 = 2
        private static let synReceived: UInt8 = 3
    }
#endif
