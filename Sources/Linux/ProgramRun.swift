// Helper programs are the daemon's: this file is not part of the launcher's Embedded build.
#if !hasFeature(Embedded)
    import Synchronization

    /// A helper program that is run to its end, with bounds on its time and on what it prints.
    ///
    /// It gets a session and with it a process group of its own, which is killed when its leader has ended, for
    /// whatever reason: nothing that it started stays, unless it made itself another session. Its standard input is a
    /// sealed file in memory, so that a program that does not read it neither blocks us nor raises SIGPIPE.
    package struct ProgramRun: Sendable {
        package var path: Path
        package var arguments: [[UInt8]]
        package var environment: [[UInt8]]
        package var input: [UInt8]
        /// More output than this ends the program.
        package var outputMax = 1 << 20
        /// The last bytes of standard error that are kept; the rest is read and dropped.
        package var errorMax = 16 << 10
        /// On CLOCK_MONOTONIC; the program is killed then.
        package var deadlineNanoseconds: Int64

        package init(
            _ path: Path, arguments: [[UInt8]], environment: [[UInt8]], input: [UInt8], deadlineNanoseconds: Int64
        ) {
            self.path = path
            self.arguments = arguments
            self.environment = environment
            self.input = input
            self.deadlineNanoseconds = deadlineNanoseconds
        }

        /// Runs the program and blocks the calling thread until it has ended.
        /// - Parameters:
        ///   - reaper: takes over a program that a kill did not end within two seconds.
        ///   - started: called with the program's number once it runs.
        package func run(reaper: ProgramReaper, started: (Int32) -> Void = { _ in }) throws(Errno) -> ProgramOutcome {
            reaper.collect()
            let begin = Clock.monotonicNanoseconds
            let output = try Pipe(nonBlockingReader: true)
            let errors = try Pipe(nonBlockingReader: true)
            var spawn = ProgramSpawn(path, arguments: arguments, environment: environment)
            spawn.setNewSession()
            try spawn.pass(MemoryFile.sealed(input, name: "input"), as: 0)
            try spawn.pass(output.writing, as: 1)
            try spawn.pass(errors.writing, as: 2)
            let program = try spawn.start()
            started(program.pid)
            // Only the program holds the writing ends now, so that their end is its end.
            try output.writing.close()
            try errors.writing.close()

            var reader = OutputReader(output: output.reading, errors: errors.reading, limits: self)
            do throws(Errno) {
                let cause = try reader.readUntilEnd(of: program)
                // The leader is a zombie or still runs, and was not waited for: the number is its own.
                try ProcessIdentity.killGroup(leader: program.pid)
                if try program.pidfd.fd.waitReadable(milliseconds: 2000) {
                    try reader.drain()
                    let status = try program.pidfd.wait()
                    return reader.outcome(cause ?? .ended(status), since: begin)
                }
            } catch {
                reaper.killAndTake(program)
                throw error
            }
            reaper.killAndTake(program)
            return reader.outcome(.timedOut, since: begin)
        }
    }

    /// How a helper program ended and what it printed.
    package struct ProgramOutcome: Sendable, Equatable {
        package enum End: Sendable, Equatable {
            case ended(ExitStatus)
            case timedOut
            case outputTooLong
        }

        package var end: End
        package var output: [UInt8]
        /// The last part of standard error.
        package var errorOutput: [UInt8]
        package var durationNanoseconds: Int64
    }

    /// Programs that were killed but have not ended: the kernel holds them in an uninterruptible wait. They are waited
    /// for later, so that they do not stay as zombies.
    package final class ProgramReaper: Sendable {
        private final class Held: Sendable {
            let program: SpawnedProgram
            init(_ program: consuming SpawnedProgram) { self.program = program }
        }

        private let held = Mutex<[Held]>([])

        package init() {}

        func killAndTake(_ program: consuming SpawnedProgram) {
            // It may have ended; then it is only waited for.
            do throws(Errno) { try ProcessIdentity.killGroup(leader: program.pid) } catch { _ = error }
            let one = Held(program)
            held.withLock { $0.append(one) }
        }

        /// Waits for those that have ended meanwhile; the number of those that have not.
        @discardableResult
        package func collect() -> Int {
            held.withLock { held in
                held.removeAll { one in
                    // An error means that it is not ours to wait for any more.
                    do throws(Errno) { return try one.program.pidfd.reap() != nil } catch { return true }
                }
                return held.count
            }
        }
    }

    /// Both output streams of a running program.
    private struct OutputReader: ~Copyable {
        private let outputFD: OwnedFD
        private let errorFD: OwnedFD
        private let limits: ProgramRun
        private var output: [UInt8] = []
        private var errors: [UInt8] = []
        private var outputEnded = false
        private var errorsEnded = false

        init(output: consuming OwnedFD, errors: consuming OwnedFD, limits: ProgramRun) {
            outputFD = output
            errorFD = errors
            self.limits = limits
        }

        private enum Token: UInt64 { case output, errors, process }

        /// Reads until the program ends (nil), or the reason why it has to be ended.
        mutating func readUntilEnd(of program: borrowing SpawnedProgram) throws(Errno) -> ProgramOutcome.End? {
            var epoll = try Epoll()
            try epoll.add(outputFD, .readable, token: Token.output.rawValue)
            try epoll.add(errorFD, .readable, token: Token.errors.rawValue)
            try epoll.add(program.pidfd.fd, .readable, token: Token.process.rawValue)
            while true {
                let rest = limits.deadlineNanoseconds - Clock.monotonicNanoseconds
                if rest <= 0 { return .timedOut }
                let milliseconds = Int32(clamping: rest / 1_000_000 + 1)
                for ready in try epoll.wait(milliseconds: milliseconds) {
                    switch Token(rawValue: ready.token) {
                    case .output:
                        try readOutput()
                        if outputEnded { try epoll.remove(outputFD) }
                    case .errors:
                        try readErrors()
                        if errorsEnded { try epoll.remove(errorFD) }
                    case .process, nil: return nil
                    }
                    if output.count > limits.outputMax { return .outputTooLong }
                }
            }
        }

        /// What the pipes still hold after the last writer that we know of is gone; never more than the bounds.
        mutating func drain() throws(Errno) {
            while !outputEnded, output.count <= limits.outputMax, try readOutput() {}
            // A pipe holds at most its size, 64 KiB by default and 1 MiB at most.
            for _ in 0..<64 {
                if errorsEnded { return }
                if try !readErrors() { return }
            }
        }

        consuming func outcome(_ end: ProgramOutcome.End, since begin: Int64) -> ProgramOutcome {
            let isTooLong = output.count > limits.outputMax
            return ProgramOutcome(
                end: isTooLong ? .outputTooLong : end, output: isTooLong ? [] : output, errorOutput: errors,
                durationNanoseconds: Clock.monotonicNanoseconds - begin)
        }

        /// False when nothing was there.
        @discardableResult
        private mutating func readOutput() throws(Errno) -> Bool {
            guard let part = try Self.part(of: outputFD) else { return false }
            outputEnded = part.isEmpty
            output += part
            return true
        }

        /// False when nothing was there.
        @discardableResult
        private mutating func readErrors() throws(Errno) -> Bool {
            guard let part = try Self.part(of: errorFD) else { return false }
            errorsEnded = part.isEmpty
            errors += part
            if errors.count > limits.errorMax { errors.removeFirst(errors.count - limits.errorMax) }
            return true
        }

        private static func part(of fd: borrowing OwnedFD) throws(Errno) -> [UInt8]? {
            do throws(Errno) { return try fd.read(max: 65536) } catch {
                if error == .again { return nil }
                throw error
            }
        }
    }
#endif
