// The launcher has one thread: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    /// sem_overview(7), for threads that may block.
    @safe final class Semaphore: Sendable {
        // Written once here; every use of the memory behind it is a sem_* call, and those are thread-safe.
        private nonisolated(unsafe) let raw: UnsafeMutableRawPointer

        init() {
            guard let made = unsafe cl_semaphore_make() else { preconditionFailure("out of memory") }
            unsafe raw = unsafe made
        }

        deinit { unsafe cl_semaphore_destroy(raw) }

        func post() { unsafe cl_semaphore_post(raw) }
        func wait(milliseconds: Int32) -> Bool { unsafe cl_semaphore_wait(raw, milliseconds) == 0 }
    }
#endif
