import CLinux

/// Namespaces by their CLONE_NEW* bits (namespaces(7)).
package struct NamespaceFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let mount = NamespaceFlags(rawValue: 0x0002_0000)
    package static let cgroup = NamespaceFlags(rawValue: 0x0200_0000)
    package static let uts = NamespaceFlags(rawValue: 0x0400_0000)
    package static let ipc = NamespaceFlags(rawValue: 0x0800_0000)
    package static let user = NamespaceFlags(rawValue: 0x1000_0000)
    package static let pid = NamespaceFlags(rawValue: 0x2000_0000)
    package static let network = NamespaceFlags(rawValue: 0x4000_0000)

    /// The corresponding C function is `unshare`.
    package func unshare() throws(Errno) { try check(cl_unshare(UInt(rawValue))) }

    /// The corresponding C function is `setns`, with a pidfd or the descriptor of a namespace. For `pid` only the children of
    /// the caller are born there (pid_namespaces(7)).
    package func join(_ target: borrowing OwnedFD) throws(Errno) {
        guard let flags = Int32(exactly: rawValue) else { throw .invalidArgument }
        try check(cl_setns(target.raw, flags))
    }
}

/// What clone3(2) returns, once in each process.
package enum CloneOutcome: ~Copyable {
    case child
    case parent(pid: Int32, pidfd: Pidfd)
}

/// Makes processes without shared memory, from a process with one thread.
package enum ProcessClone {
    private static let parent: UInt = 0x8000

    /// clone3(2) with CLONE_INTO_CGROUP: born in the cgroup, so that not one instruction runs outside of it.
    package static func make(
        into cgroup: borrowing OwnedFD, _ namespaces: NamespaceFlags = []
    ) throws(Errno) -> CloneOutcome {
        var pidfd: Int32 = -1
        // The kernel writes one number.
        return outcome(pid: try check(unsafe cl_clone3(namespaces.rawValue, cgroup.raw, &pidfd)), pidfd: pidfd)
    }

    /// The same for a child that the caller does not wait for by a pidfd: its number, or 0 in the child.
    package static func makeUnwatched(into cgroup: borrowing OwnedFD) throws(Errno) -> Int32 {
        var pidfd: Int32 = -1
        // As above.
        let pid = try check(unsafe cl_clone3(0, cgroup.raw, &pidfd))
        if pid > 0 { closeDescriptor(pidfd) }
        return descriptor(pid)
    }

    /// clone3(2) in the caller's own cgroup.
    package static func make(_ namespaces: NamespaceFlags = []) throws(Errno) -> CloneOutcome {
        var pidfd: Int32 = -1
        // As above.
        return outcome(pid: try check(unsafe cl_clone3(namespaces.rawValue, -1, &pidfd)), pidfd: pidfd)
    }

    /// clone(2) with CLONE_PARENT: a sibling of the caller, whose parent has to wait for it. Not clone3(2): container
    /// engines' seccomp profiles refuse that one, since they cannot look into its argument. Its number, or 0 in the sibling.
    package static func makeSibling() throws(Errno) -> Int32 { descriptor(try check(cl_clone(parent))) }

    /// The caller goes on as a sibling of itself, in the same memory, without a copy of it (CLONE_VM, CLONE_VFORK): who called
    /// waits for the execve(2) or the end of what goes on here, and exits. Both send `kind` and the sibling's number, as four
    /// bytes. Fails where nothing has happened.
    package static func becomeSibling(telling socket: borrowing PacketSocket, kind: UInt8) throws(Errno) {
        try check(cl_become_sibling(socket.fd.raw, kind))
    }

    private static func outcome(pid: Int, pidfd: Int32) -> CloneOutcome {
        pid == 0 ? .child : .parent(pid: descriptor(pid), pidfd: Pidfd(OwnedFD(taking: pidfd)))
    }
}
