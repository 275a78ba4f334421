import CLinux

/// Starts a program from a process with threads: posix_spawn(3). The launcher is the other way, for processes without.
///
/// The program has exactly the descriptors it is given; 0, 1 and 2 are /dev/null unless given. All signals have their
/// default disposition, none is blocked, and nothing of the environment is inherited.
package struct ProgramSpawn: ~Copyable {
    private var path: Path
    private var arguments: [[UInt8]]
    private var environment: [[UInt8]]
    /// Target numbers, in the order of the slots of `sources`.
    private var targets: [Int32] = []
    private var sources = DescriptorTable()
    private var newSession = false

    package init(_ path: Path, arguments: [[UInt8]], environment: [[UInt8]] = []) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// The program runs in a session of its own instead of a process group of its own.
    package mutating func setNewSession() { newSession = true }

    /// The program finds a duplicate of `fd` as its descriptor `target`.
    package mutating func pass(_ fd: borrowing OwnedFD, as target: Int32) throws(Errno) {
        guard target >= 0, target < ProgramSpawn.raisedFirst else { throw .badDescriptor }
        try append(duplicateAbove(fd), as: target)
    }

    /// Starts the program in a directory, and names it by a pidfd and its number.
    package consuming func start(in directory: borrowing OwnedFD) throws(Errno) -> SpawnedProgram {
        let raised = try duplicateAbove(directory)
        return try run(directory: raised.raw)
    }

    /// Starts the program in the caller's working directory, and names it by a pidfd and its number.
    package consuming func start() throws(Errno) -> SpawnedProgram { try run(directory: -1) }

    /// Numbers of the child lie below, so that no dup2(2) overwrites a source.
    private static let raisedFirst: Int32 = 64

    private func duplicateAbove(_ fd: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        OwnedFD(taking: descriptor(try check(cl_duplicate(fd.raw, ProgramSpawn.raisedFirst))))
    }

    private mutating func append(_ fd: consuming OwnedFD, as target: Int32) {
        sources.put(UInt16(truncatingIfNeeded: targets.count), fd)
        targets.append(target)
    }

    private consuming func run(directory: Int32) throws(Errno) -> SpawnedProgram {
        let null = try OwnedFD.open("/dev/null", .readWrite)
        for standard: Int32 in 0...2 where !targets.contains(standard) {
            try append(duplicateAbove(null), as: standard)
        }
        let numbers = sources.numbers
        let targets = self.targets
        let session: Int32 = newSession ? 1 : 0
        var pid = 0
        let arguments = try CStringVector(self.arguments)
        let environment = try CStringVector(self.environment)
        try path.call { program in
            // Everything that the structure points to lives until the call returns.
            unsafe numbers.withUnsafeBufferPointer { numbers in
                unsafe targets.withUnsafeBufferPointer { targets in
                    var spawn = unsafe cl_spawn(
                        path: program.pointer, arguments: arguments.pointers, environment: environment.pointers,
                        fds: numbers.baseAddress, targets: targets.baseAddress,
                        fd_count: UInt32(truncatingIfNeeded: numbers.count), working_directory: directory,
                        new_session: session)
                    pid = unsafe cl_spawn(&spawn)
                    return pid
                }
            }
        }
        let number = descriptor(pid)
        // Nobody else waits for this child, so that the number is still its own.
        return SpawnedProgram(pid: number, pidfd: try Pidfd.open(pid: number))
    }
}

/// A program that was started, which its starter has to wait for.
package struct SpawnedProgram: ~Copyable, Sendable {
    package let pid: Int32
    package let pidfd: Pidfd

    /// The pidfd alone.
    package consuming func takePidfd() -> Pidfd { pidfd }
}
