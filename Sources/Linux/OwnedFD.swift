import CLinux

/// A file descriptor with one owner, which closes it. Every call that makes one sets close-on-exec.
@usableFromInline
package struct OwnedFD: ~Copyable, Sendable {
    /// -1 when it has been given away.
    @usableFromInline private(set) var raw: Int32

    /// Takes over a descriptor that nobody else will close.
    package init(taking raw: Int32) { self.raw = raw }

    // Inlinable: Embedded Swift must see what an imported value does at its end.
    @inlinable deinit { if raw >= 0 { closeDescriptor(raw) } }

    /// Lends the number, for interfaces that know only numbers; it is valid inside `body` only.
    package func withRaw<Result: ~Copyable, Failure: Error>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(raw)
    }

    /// Gives the number away; the receiver closes it.
    package consuming func take() -> Int32 {
        let given = raw
        raw = -1
        return given
    }

    /// Closes and reports what close(2) says: the place where a network file system tells of lost writes.
    package consuming func close() throws(Errno) {
        let raw = take()
        // Linux frees the number even when it says EINTR: never retried.
        let result = cl_close(raw)
        if result != 0 && result != -Int(EINTR) { try check(result) }
    }

    /// A second descriptor of the same open file: fcntl(F_DUPFD_CLOEXEC).
    package func duplicate() throws(Errno) -> OwnedFD {
        try OwnedFD(taking: descriptor(check(cl_duplicate(raw, 3))))
    }

    package func setNonBlocking(_ isNonBlocking: Bool) throws(Errno) {
        let flags = try check(cl_fcntl(raw, F_GETFL, 0))
        let wanted = isNonBlocking ? flags | Int(O_NONBLOCK) : flags & ~Int(O_NONBLOCK)
        if wanted != flags { try check(cl_fcntl(raw, F_SETFL, wanted)) }
    }

    /// F_SETPIPE_SZ: how much a pipe holds for its reader. EPERM where that is more than pipe(7) allows.
    package func setPipeCapacity(_ bytes: Int) throws(Errno) {
        try check(cl_fcntl(raw, cl_f_setpipe_sz, bytes))
    }

    /// Makes this the descriptor `target` too, which is then kept across execve(2): dup3(2) onto one of 0, 1 and 2.
    package func becomeStandard(_ target: StandardStream) throws(Errno) {
        try retrying { cl_dup3(raw, target.rawValue, 0) }
    }
}

/// One of the three descriptors that a program starts with.
package enum StandardStream: Int32, Sendable { case input = 0, output = 1, error = 2 }

/// The two ends of a pipe(2).
package struct Pipe: ~Copyable, Sendable {
    package var reading: OwnedFD
    package var writing: OwnedFD

    package init(nonBlockingReader: Bool = false, nonBlockingWriter: Bool = false) throws(Errno) {
        var pair: (Int32, Int32) = (-1, -1)
        // The pair has room for the two numbers that pipe2(2) writes.
        try check(
            unsafe withUnsafeMutablePointer(to: &pair) { pointer in
                unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe cl_pipe($0, O_CLOEXEC) }
            })
        let reader = OwnedFD(taking: pair.0)
        let writer = OwnedFD(taking: pair.1)
        // A new pipe has no other flags.
        if nonBlockingReader { try check(cl_fcntl(reader.raw, F_SETFL, Int(O_NONBLOCK))) }
        if nonBlockingWriter { try check(cl_fcntl(writer.raw, F_SETFL, Int(O_NONBLOCK))) }
        reading = reader
        writing = writer
    }

    /// Gives one end away; what is left of the pipe then has none in its place.
    package mutating func takeReading() -> OwnedFD { Pipe.exchange(&reading) }

    package mutating func takeWriting() -> OwnedFD { Pipe.exchange(&writing) }

    private static func exchange(_ end: inout OwnedFD) -> OwnedFD {
        let given = end
        end = OwnedFD(taking: -1)
        return given
    }
}

/// close(2) where nobody would hear of a failure.
@usableFromInline
func closeDescriptor(_ raw: Int32) { _ = cl_close(raw) }

/// A system call's result that is a descriptor.
@inline(__always)
func descriptor(_ result: Int) -> Int32 { Int32(truncatingIfNeeded: result) }
