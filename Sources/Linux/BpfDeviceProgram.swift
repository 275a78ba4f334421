// Device programs are the daemon's work: this file is not part of the launcher's Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    /// Why the kernel did not take a program: the error, and what the verifier said about it.
    package struct BpfRefusal: Error, Equatable, Sendable {
        package let errno: Errno
        package let log: String
    }

    /// A loaded program of type BPF_PROG_TYPE_CGROUP_DEVICE (bpf(2)). The kernel keeps it as long as a cgroup has it
    /// attached, whether or not this descriptor is open.
    package struct BpfDeviceProgram: ~Copyable, Sendable {
        private let fd: OwnedFD

        /// Loads encoded instructions (`struct bpf_insn`, little-endian).
        package init(instructions: [UInt64]) throws(BpfRefusal) {
            let count = UInt32(truncatingIfNeeded: instructions.count)
            // The kernel reads `count` instructions of the array that is lent.
            var result = unsafe instructions.withUnsafeBufferPointer {
                unsafe cl_bpf_load_cgroup_device($0.baseAddress, count, nil, 0)
            }
            if result < 0 {
                // Once more with a log, which a program that is taken need not pay for.
                var log = [CChar](repeating: 0, count: 16384)
                let size = UInt32(truncatingIfNeeded: log.count)
                result = unsafe instructions.withUnsafeBufferPointer { code in
                    // The kernel writes at most `size` bytes, with a NUL.
                    unsafe log.withUnsafeMutableBufferPointer {
                        unsafe cl_bpf_load_cgroup_device(code.baseAddress, count, $0.baseAddress, size)
                    }
                }
                if result < 0 {
                    let text = log.prefix { $0 != 0 }.suffix(512).map { UInt8(bitPattern: $0) }
                    throw BpfRefusal(
                        errno: Errno(Int32(truncatingIfNeeded: -result)), log: String(decoding: text, as: UTF8.self))
                }
            }
            fd = OwnedFD(taking: descriptor(result))
        }

        /// Attaches it to a cgroup2 directory, in place of an earlier program of ours if there is one.
        ///
        /// BPF_F_ALLOW_MULTI: programs of this cgroup, of those above and of those below must all allow an access. So a
        /// cgroup below can only narrow what we allow, a systemd unit's own program stays in force, and a nested
        /// container manager may attach programs for its children (an exclusive program would refuse that).
        package func attach(to cgroup: borrowing OwnedFD) throws(Errno) {
            if let earlier = try Self.ours(on: cgroup) {
                try check(cl_bpf_attach_cgroup_device(cgroup.raw, fd.raw, earlier.raw))
            } else {
                try check(cl_bpf_attach_cgroup_device(cgroup.raw, fd.raw, -1))
            }
        }

        /// How many device programs are attached to this very cgroup, whoever attached them.
        package static func count(on cgroup: borrowing OwnedFD) throws(Errno) -> Int { try ids(on: cgroup).count }

        private static func ids(on cgroup: borrowing OwnedFD) throws(Errno) -> [UInt32] {
            // The kernel allows 64 programs of one type on one cgroup (BPF_CGROUP_MAX_PROGS).
            var ids = [UInt32](repeating: 0, count: 64)
            let raw = cgroup.raw
            let count = try check(
                unsafe ids.withUnsafeMutableBufferPointer { unsafe cl_bpf_query_cgroup_device(raw, $0.baseAddress, 64) }
            )
            return Array(ids.prefix(count))
        }

        private static func ours(on cgroup: borrowing OwnedFD) throws(Errno) -> OwnedFD? {
            for id in try ids(on: cgroup) {
                let program = OwnedFD(taking: descriptor(try check(cl_bpf_program_by_id(id))))
                if try check(cl_bpf_program_is_ours(program.raw)) == 1 { return program }
            }
            return nil
        }
    }
#endif
