import CLinux

/// The calling process.
package enum CurrentProcess {
    package static var pid: Int32 { descriptor(cl_getpid()) }

    package static var effectiveUID: UInt32 { UInt32(truncatingIfNeeded: cl_geteuid()) }

    /// _exit(2): nothing is flushed, and no other process of the family notices.
    package static func exit(_ status: Int32) -> Never { cl_exit(status) }

    /// The argument vector of main, also where the language does not keep it.
    package static var arguments: [[UInt8]] {
        var all: [[UInt8]] = []
        for index in 0..<cl_argument_count() {
            // The C library's vector: NUL-terminated, and there for the life of the process.
            guard let text = unsafe cl_argument(index) else { break }
            let length = unsafe strlen(text)
            all.append(unsafe [UInt8](UnsafeRawBufferPointer(start: text, count: length)))
        }
        return all
    }

    /// The corresponding C function is `setsid`.
    package static func startSession() throws(Errno) { try check(cl_setsid()) }

    /// Returns the mask that was in force: umask(2).
    @discardableResult
    package static func setFileModeMask(_ mask: UInt32) -> UInt32 { cl_umask(mask) }

    /// comm, of which the kernel keeps 15 bytes: PR_SET_NAME.
    package static func setName(_ name: Path) throws(Errno) {
        // The address of the bytes travels as a number.
        try name.call { unsafe cl_prctl(15, UInt(bitPattern: $0.pointer), 0, 0, 0) }
    }

    /// PR_SET_DUMPABLE 0: no ptrace(2), no core, and /proc/<pid> belongs to root, until the next execve(2).
    package static func forbidDumping() throws(Errno) { try check(cl_prctl(4, 0, 0, 0, 0)) }

    /// PR_SET_PDEATHSIG; nil takes it back.
    package static func setParentDeathSignal(_ signal: Signal?) throws(Errno) {
        try check(cl_prctl(1, UInt(signal?.rawValue ?? 0), 0, 0, 0))
    }

    /// PR_SET_NO_NEW_PRIVS
    package static func forbidNewPrivileges() throws(Errno) { try check(cl_prctl(38, 1, 0, 0, 0)) }

    /// Nice 0, SCHED_OTHER, no I/O priority.
    package static func resetScheduling() throws(Errno) { try check(cl_reset_scheduling()) }

    /// Waits for every child that has ended, whoever made it.
    package static func reapAll() {
        while cl_reap_any() > 0 {}
    }

    /// keyctl(KEYCTL_JOIN_SESSION_KEYRING) with a new anonymous keyring.
    package static func newSessionKeyring() throws(Errno) { try check(cl_new_session_keyring()) }

    /// Of the calling process's UTS namespace.
    package static func setHostname(_ name: [UInt8]) throws(Errno) {
        guard !name.contains(0) else { throw .invalidArgument }
        // The kernel reads as many bytes as it is told.
        try check(
            unsafe name.withUnsafeBytes {
                unsafe cl_sethostname($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
            })
    }

    /// Loads classic BPF, 8 bytes an instruction: seccomp(SECCOMP_SET_MODE_FILTER).
    package static func installSeccompFilter(_ program: [UInt8], flags: UInt32) throws(Errno) {
        guard program.count % 8 == 0, let count = UInt16(exactly: program.count / 8), count > 0 else {
            throw .invalidArgument
        }
        // The kernel copies `count` instructions and checks them.
        try check(unsafe program.withUnsafeBytes { unsafe cl_seccomp_filter(flags, $0.baseAddress, count) })
    }
}
