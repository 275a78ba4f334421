import CLinux

/// Identity and capabilities of the calling process (credentials(7), capabilities(7)).
package enum Credentials {
    /// setgroups(2), setresgid(2), setresuid(2): groups first, for that needs the uid's privilege. With PR_SET_KEEPCAPS
    /// around it, the permitted set outlives the change to another uid than 0.
    package static func set(uid: UInt32, gid: UInt32, groups: [UInt32]) throws(Errno) {
        // The kernel reads as many numbers as it is told.
        try check(unsafe groups.withUnsafeBufferPointer { unsafe cl_setgroups($0.count, $0.baseAddress) })
        try check(cl_setresgid(gid))
        // A change to 0 takes none away.
        if uid != 0 { try check(cl_prctl(keepCapabilities, 1, 0, 0, 0)) }
        try check(cl_setresuid(uid))
        if uid != 0 { try check(cl_prctl(keepCapabilities, 0, 0, 0, 0)) }
    }

    /// The corresponding C function is `capset`.
    package static func setCapabilities(effective: UInt64, permitted: UInt64, inheritable: UInt64) throws(Errno) {
        try check(cl_capset(effective, permitted, inheritable))
    }

    /// The corresponding C function is `capget`.
    package static func capabilities() throws(Errno) -> CapabilitySets {
        var sets = CapabilitySets(effective: 0, permitted: 0, inheritable: 0)
        // The three places outlive the call.
        try check(unsafe cl_capget(&sets.effective, &sets.permitted, &sets.inheritable))
        return sets
    }

    /// PR_CAP_AMBIENT_CLEAR_ALL
    package static func clearAmbientCapabilities() throws(Errno) { try check(cl_prctl(ambient, 4, 0, 0, 0)) }

    /// PR_CAP_AMBIENT_RAISE of every capability of the mask.
    package static func raiseAmbientCapabilities(_ mask: UInt64) throws(Errno) {
        for number: UInt in 0..<64 where mask & (1 << UInt64(number)) != 0 {
            try check(cl_prctl(ambient, 2, number, 0, 0))
        }
    }

    /// PR_CAPBSET_DROP of every capability the kernel knows that is not in the mask.
    package static func restrictBoundingSet(to mask: UInt64) throws(Errno) {
        for number: UInt in 0..<64 where mask & (1 << UInt64(number)) == 0 {
            let result = cl_prctl(24, number, 0, 0, 0)
            // Beyond the kernel's last capability.
            if result == -Int(EINVAL) { break }
            try check(result)
        }
    }

    private static let keepCapabilities: Int32 = 8
    private static let ambient: Int32 = 47
}

/// Masks, bit n = capability n.
package struct CapabilitySets: Sendable, Equatable {
    package var effective: UInt64
    package var permitted: UInt64
    package var inheritable: UInt64
}
