import CLinux

/// The reason why a system call failed, as the kernel gives it: errno(3).
package struct Errno: Error, Equatable, Hashable, Sendable {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    package static let again = Errno(EAGAIN)
    package static let alreadyExists = Errno(EEXIST)
    package static let badDescriptor = Errno(EBADF)
    package static let brokenPipe = Errno(EPIPE)
    package static let busy = Errno(EBUSY)
    package static let canceled = Errno(ECANCELED)
    package static let connectionRefused = Errno(ECONNREFUSED)
    package static let connectionReset = Errno(ECONNRESET)
    package static let crossDevice = Errno(EXDEV)
    package static let directoryNotEmpty = Errno(ENOTEMPTY)
    package static let executableFormat = Errno(ENOEXEC)
    package static let fileTooLarge = Errno(EFBIG)
    package static let inProgress = Errno(EINPROGRESS)
    package static let inputOutput = Errno(EIO)
    package static let interrupted = Errno(EINTR)
    package static let invalidArgument = Errno(EINVAL)
    package static let isDirectory = Errno(EISDIR)
    package static let messageTooLong = Errno(EMSGSIZE)
    package static let nameTooLong = Errno(ENAMETOOLONG)
    package static let noDevice = Errno(ENODEV)
    package static let noData = Errno(ENODATA)
    package static let noEntry = Errno(ENOENT)
    package static let noMemory = Errno(ENOMEM)
    package static let noProcess = Errno(ESRCH)
    package static let noSpace = Errno(ENOSPC)
    package static let noSystemCall = Errno(ENOSYS)
    package static let noTerminal = Errno(ENOTTY)
    package static let notConnected = Errno(ENOTCONN)
    package static let notDirectory = Errno(ENOTDIR)
    package static let notPermitted = Errno(EPERM)
    package static let notSupported = Errno(EOPNOTSUPP)
    package static let overflow = Errno(EOVERFLOW)
    package static let permissionDenied = Errno(EACCES)
    package static let protocolError = Errno(EPROTO)
    package static let quotaExceeded = Errno(EDQUOT)
    package static let readOnlyFilesystem = Errno(EROFS)
    package static let timedOut = Errno(ETIMEDOUT)
    package static let tooBig = Errno(E2BIG)
    package static let tooManyFiles = Errno(EMFILE)
    package static let tooManyLinks = Errno(ELOOP)
    package static let tooManyUsers = Errno(EUSERS)
    package static let wouldDeadlock = Errno(EDEADLK)
}

/// Turns the result of a CLinux function, which is -errno on failure, into a value or an error.
@inline(__always)
@discardableResult
func check(_ result: Int) throws(Errno) -> Int {
    // -errno fits by the contract of CLinux; truncation keeps a breach of it from trapping.
    if result < 0 { throw Errno(Int32(truncatingIfNeeded: -result)) }
    return result
}

/// Repeats a call that a signal interrupted: the one place where EINTR is handled.
@inline(__always)
@discardableResult
func retrying(_ call: () -> Int) throws(Errno) -> Int {
    while true {
        let result = call()
        if result != -Int(EINTR) { return try check(result) }
    }
}
