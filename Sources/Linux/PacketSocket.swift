import CLinux

/// A connected Unix socket of sequenced packets: one send is one receive, descriptors ride along (unix(7)).
package struct PacketSocket: ~Copyable, Sendable {
    /// Most descriptors in one packet.
    package static let descriptorsMax = 16

    /// Up to this size a buffer costs less than a look at the packet.
    private static let smallBytes = 2_048

    package let fd: OwnedFD

    package init(_ fd: consuming OwnedFD) { self.fd = fd }

    /// Two connected sockets.
    package static func pair(nonBlocking: Bool = false) throws(Errno) -> PacketSocketPair {
        var pair: (Int32, Int32) = (-1, -1)
        // The pair has room for the two numbers that socketpair(2) writes.
        try check(
            unsafe withUnsafeMutablePointer(to: &pair) { pointer in
                unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) {
                    unsafe cl_socketpair($0, nonBlocking ? O_NONBLOCK : 0)
                }
            })
        return PacketSocketPair(
            first: PacketSocket(OwnedFD(taking: pair.0)), second: PacketSocket(OwnedFD(taking: pair.1)))
    }

    /// Connects to the socket `name` in a directory, by way of /proc/self/fd: so any path fits in `sun_path`.
    package static func connect(
        to name: Path, in directory: borrowing OwnedFD, nonBlocking: Bool = false
    ) throws(Errno) -> PacketSocket {
        let fd = OwnedFD(taking: descriptor(try check(cl_unix_socket(nonBlocking ? 1 : 0))))
        try directory.processPath.appending(name).call { unsafe cl_unix_connect(fd.raw, $0.pointer) }
        return PacketSocket(fd)
    }

    /// Sends one packet. ECONNRESET or EPIPE: the peer is gone; EAGAIN: it does not read.
    package func send(_ bytes: [UInt8]) throws(Errno) { try send(bytes, []) }

    package func send(_ bytes: [UInt8], with first: borrowing OwnedFD) throws(Errno) { try send(bytes, [first.raw]) }

    package func send(
        _ bytes: [UInt8], with first: borrowing OwnedFD, _ second: borrowing OwnedFD
    ) throws(Errno) {
        try send(bytes, [first.raw, second.raw])
    }

    /// Sends one packet with the descriptors of a table, in the order of its slots; they stay the table's.
    package func send(_ bytes: [UInt8], with descriptors: borrowing DescriptorTable) throws(Errno) {
        try send(bytes, descriptors.numbers)
    }

    private func send(_ bytes: [UInt8], _ numbers: [Int32]) throws(Errno) {
        guard numbers.count <= PacketSocket.descriptorsMax else { throw .tooBig }
        try retrying {
            // Both arrays outlive the call, which reads no more than their counts.
            unsafe bytes.withUnsafeBytes { content in
                unsafe numbers.withUnsafeBufferPointer {
                    unsafe cl_send_packet(
                        fd.raw, content.baseAddress, content.count, $0.baseAddress, UInt32(truncatingIfNeeded: $0.count)
                    )
                }
            }
        }
    }

    /// Receives one packet of at most `max` bytes; nil when the peer has closed. A longer packet is dropped whole: EMSGSIZE.
    package func receive(max: Int) throws(Errno) -> Packet? {
        var capacity = max
        if max > PacketSocket.smallBytes {
            // Looked at before anything large is allocated; the next packet cannot change under its only reader.
            capacity = min(try retrying { cl_next_packet_length(fd.raw) }, max)
        }
        var bytes = [UInt8](repeating: 0, count: capacity)
        return try receive(by: &bytes)
    }

    /// As above, by way of a buffer that has room for the longest packet, and that other sockets may share.
    package func receive(by buffer: inout [UInt8]) throws(Errno) -> Packet? {
        var numbers = [Int32](repeating: -1, count: PacketSocket.descriptorsMax)
        var numberCount: UInt32 = 0
        let received = try retrying {
            // The kernel fills at most the whole buffer and at most 16 numbers, and says how many of each.
            unsafe buffer.withUnsafeMutableBytes { content in
                unsafe numbers.withUnsafeMutableBufferPointer {
                    unsafe cl_receive_packet(fd.raw, content.baseAddress, content.count, $0.baseAddress, &numberCount)
                }
            }
        }
        var packet = Packet(bytes: [], descriptors: DescriptorTable())
        for index in 0..<min(Int(numberCount), numbers.count) {
            packet.descriptors.put(UInt16(truncatingIfNeeded: index), OwnedFD(taking: numbers[index]))
        }
        if received == 0 && packet.descriptors.count == 0 { return nil }
        packet.bytes = [UInt8](buffer.prefix(received))
        return packet
    }

    /// Who connected: SO_PEERCRED, fixed at connect(2).
    package func peer() throws(Errno) -> PeerCredentials {
        var peer = PeerCredentials(pid: 0, uid: 0, gid: 0)
        try check(unsafe cl_peer(fd.raw, &peer.pid, &peer.uid, &peer.gid))
        return peer
    }
}

/// Two connected sockets: socketpair(2).
package struct PacketSocketPair: ~Copyable, Sendable {
    package var first: PacketSocket
    package var second: PacketSocket

    /// Gives one socket away; what is left in its place is none.
    package mutating func takeFirst() -> PacketSocket { PacketSocketPair.exchange(&first) }

    package mutating func takeSecond() -> PacketSocket { PacketSocketPair.exchange(&second) }

    private static func exchange(_ socket: inout PacketSocket) -> PacketSocket {
        var given = PacketSocket(OwnedFD(taking: -1))
        swap(&given, &socket)
        return given
    }
}

/// What one receive gave: at least one of the two is not empty.
package struct Packet: ~Copyable, Sendable {
    package var bytes: [UInt8]
    /// In slots 0, 1, 2...
    package var descriptors: DescriptorTable
}

/// The process at the other end of a Unix socket.
package struct PeerCredentials: Sendable, Equatable {
    package var pid: Int32
    package var uid: UInt32
    package var gid: UInt32
}

/// A listening Unix socket of sequenced packets.
package struct PacketListener: ~Copyable, Sendable {
    package let fd: OwnedFD

    /// Binds `name` in a directory and listens. The mode is set before listen(2): nobody can connect earlier.
    package init(name: Path, in directory: borrowing OwnedFD, mode: UInt32) throws(Errno) {
        let socket = OwnedFD(taking: descriptor(try check(cl_unix_socket(1))))
        try directory.processPath.appending(name).call { unsafe cl_unix_bind(socket.raw, $0.pointer) }
        try directory.changeMode(name, mode)
        try check(cl_listen(socket.raw, 8))
        fd = socket
    }

    /// The next connection, non-blocking; nil when none waits.
    package func accept() throws(Errno) -> PacketSocket? {
        do throws(Errno) {
            return PacketSocket(OwnedFD(taking: descriptor(try retrying { cl_accept(fd.raw) })))
        } catch {
            if error == .again { return nil }
            throw error
        }
    }
}
