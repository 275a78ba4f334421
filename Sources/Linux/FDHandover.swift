// The launcher has one thread and no tasks: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    import Synchronization

    /// A descriptor on its way to its next owner, through values that are copied and calls that are asynchronous.
    ///
    /// Whoever takes it owns it; what nobody takes is closed with the last reference.
    package final class FDHandover: Sendable {
        private let fd: Mutex<OwnedFD?>

        package init(_ fd: consuming OwnedFD) { self.fd = Mutex(fd) }

        /// The descriptor; nil after the first call.
        package func take() -> OwnedFD? { fd.withLock { fd in fd.take() } }
    }
#endif
