// The daemon's alone: this file is not part of the launcher's Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    /// One datagram to a Unix socket, over a socket of its own.
    package enum Datagram {
        /// Sends without waiting. EAGAIN: the receiver's queue is full; ECONNREFUSED or ENOENT: nobody receives.
        ///
        /// - Parameter name: a path, or an abstract name (unix(7)), which begins with a NUL; at most 108 bytes.
        package static func send(_ bytes: [UInt8], to name: [UInt8]) throws(Errno) {
            // Without a name the socket's kernel would look for a connection.
            guard !name.isEmpty else { throw .invalidArgument }
            let fd = OwnedFD(taking: descriptor(try check(cl_datagram_socket())))
            try retrying {
                // Both arrays outlive the call, which reads no more than their counts.
                unsafe bytes.withUnsafeBytes { content in
                    unsafe name.withUnsafeBytes {
                        unsafe cl_send_datagram(fd.raw, $0.baseAddress, $0.count, content.baseAddress, content.count)
                    }
                }
            }
        }
    }
#endif
