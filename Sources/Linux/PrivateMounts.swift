// The launcher has one thread, and makes mount namespaces of its own: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    import CLinux
    import Synchronization

    extension MountHandle {
        /// A detached, read-only overlay of directories below `directory`, the highest first, made by mount(2).
        ///
        /// Before Linux 6.5 this is the only way to more layers than fit into the 255 bytes of a string of fsconfig(2). mount(2)
        /// attaches what it makes, so that it is called by a thread that has a mount namespace and a working directory of its own
        /// (unshare(2) allows CLONE_FS and CLONE_NEWNS to one thread of many) and ends at once: nothing is ever mounted in
        /// the namespace of the process, and a crash leaves nothing behind.
        package static func overlay(
            of lowers: [Path], below directory: borrowing OwnedFD, _ flags: MountFlags
        ) throws(Errno) -> MountHandle {
            guard let place = lowers.first else { throw .invalidArgument }
            let data = Path(Array(Path("lowerdir=").bytes + lowers.map(\.bytes).joined(separator: [UInt8(ascii: ":")])))
            // The kernel reads one page of options, its last byte included.
            guard data.bytes.count < 4096 else { throw .tooBig }
            // Lent to the thread, which has ended before this function returns.
            let raw = directory.raw
            let work = MountThread { () throws(Errno) in
                // CLONE_FS of sched.h, which Swift sees only with _GNU_SOURCE.
                try check(cl_unshare(0x200))
                // While the descriptor's mount is still one of this thread's namespace.
                try check(cl_fchdir(raw))
                try NamespaceFlags.mount.unshare()
                try MountTable.makeAllSlaves()
                try MountTable.mount(type: "overlay", at: place, flags: flags, data: data)
                let clone = try MountHandle.clone(of: OwnedFD.open(place, [.path, .directory]), recursive: false)
                try clone.set(flags, recursive: false)
                return FDHandover(clone.takeDescriptor())
            }
            guard let made = try work.result().take() else { throw .badDescriptor }
            return MountHandle(made)
        }
    }

    /// A thread that lives for one piece of work.
    private final class MountThread: Sendable {
        private let body: @Sendable () throws(Errno) -> FDHandover
        private let outcome = Mutex<Result<FDHandover, Errno>?>(nil)
        private let end = Semaphore()

        init(_ body: @escaping @Sendable () throws(Errno) -> FDHandover) { self.body = body }

        /// Runs the work and blocks until it is done.
        func result() throws(Errno) -> FDHandover {
            let context = unsafe Unmanaged.passRetained(self)
            // The thread takes over the reference that was retained for it.
            let started = unsafe cl_thread_start(
                "mount", 512 * 1024,
                { pointer in
                    guard let pointer = unsafe pointer else { return }
                    unsafe Unmanaged<MountThread>.fromOpaque(pointer).takeRetainedValue().run()
                }, context.toOpaque())
            guard started == 0 else {
                unsafe context.release()
                throw Errno(-started)
            }
            while !end.wait(milliseconds: 60_000) {}
            guard let outcome = outcome.withLock({ $0 }) else { throw .inputOutput }
            return try outcome.get()
        }

        private func run() {
            let result: Result<FDHandover, Errno>
            do throws(Errno) { result = .success(try body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            end.post()
        }
    }
#endif
