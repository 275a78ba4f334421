import LaunchProtocol
import Linux

extension Supervisor {
    /// A process's main pidfd is readable: it has ended.
    mutating func handleEnd(of process: SupervisedProcess) {
        // Reports that are still in the socket count; at its end the launch is decided.
        if process.report != nil { readReports(of: process) }
        if process.report != nil {
            // The event may be of the first child of a late birth, which the reports have just made the outside process.
            guard hasEnded(process) else { return }
            // The other end is open: a late birth's first child is still on its way out. To be reaped when that is gone.
            process.hasEnded = true
            unwatch(process.pidfd)
            return
        }
        if process.phase == .launching || process.phase == .held { mourn(process) }
        do throws(Errno) {
            let status = try process.pidfd.lend { pidfd throws(Errno) in try pidfd.reap() }
            guard let outer = status, let ended = outer else { return }
            drop(&process.pidfd)
            end(process, ended)
        } catch {
            // Not our child, which cannot be; it must not be waited for again.
            drop(&process.pidfd)
            end(process, .exited(255))
        }
    }

    /// The first child of a late birth: its work is done.
    mutating func reapOutside(of process: SupervisedProcess) {
        do throws(Errno) {
            let status = try process.outside.lend { outside throws(Errno) in try outside.reap() }
            if let outer = status, outer == nil { return try watchFirst(process) }
        } catch {
            // As above, or it cannot be watched: it is not waited for.
        }
        drop(&process.outside)
        // A decision may have waited for its end of the report socket.
        if process.report != nil { readReports(of: process) }
        removeIfReaped(process)
    }

    /// Has the end of the first child told, where it is not yet.
    func watchFirst(_ process: SupervisedProcess) throws(Errno) {
        guard !process.isFirstWatched else { return }
        let isOutside: Void? = try process.outside.lend { outside throws(Errno) in
            try epoll.add(outside.fd, .readable, token: Token.process(process.serial, .outside).rawValue)
        }
        if isOutside == nil {
            _ = try process.pidfd.lend { pidfd throws(Errno) in
                try epoll.add(pidfd.fd, .readable, token: Token.process(process.serial, .pidfd).rawValue)
            }
        }
        process.isFirstWatched = true
    }

    /// Carries output that has come.
    mutating func carryOutput(of process: SupervisedProcess, _ stream: LogStreamName) {
        switch stream {
        case .output: process.output = carry(process.output.take(), of: process)
        case .error: process.error = carry(process.error.take(), of: process)
        }
        if process.phase == .draining, process.output == nil, process.error == nil { finish(process) }
    }

    /// The time to drain is over: what has no newline is written, and nothing more is read.
    mutating func finishStreams(of process: SupervisedProcess) {
        process.output = carry(process.output.take(), of: process)
        process.error = carry(process.error.take(), of: process)
        if var source = process.output.take() {
            pump.finish(&source, to: &process.log)
            leave(source)
        }
        if var source = process.error.take() {
            pump.finish(&source, to: &process.log)
            leave(source)
        }
        finish(process)
    }

    // MARK: - Private

    private mutating func carry(_ source: consuming LogSource?, of process: SupervisedProcess) -> LogSource? {
        guard var source = source.take() else { return nil }
        let hasEnded = pump.carry(&source, to: &process.log)
        drop(source.takeLosses(), of: process)
        if !hasEnded { return consume source }
        leave(source)
        return nil
    }

    private func hasEnded(_ process: SupervisedProcess) -> Bool {
        do throws(Errno) {
            return try process.pidfd.lend { pidfd throws(Errno) in try pidfd.hasEnded() } ?? false
        } catch {
            return false
        }
    }

    /// The daemon holds the same open file: closed here only, it would be reported as readable for as long as it is held there.
    private func drop(_ pidfd: inout Pidfd?) {
        unwatch(pidfd)
        pidfd = nil
    }

    private func unwatch(_ pidfd: borrowing Pidfd?) {
        _ = pidfd.lend { pidfd in ignoringErrors { () throws(Errno) in try epoll.remove(pidfd.fd) } }
    }

    private mutating func end(_ process: SupervisedProcess, _ status: ExitStatus) {
        switch process.phase {
        case .abandoned: return removeIfReaped(process)
        case .launching, .held, .draining, .exited: return
        case .running: break
        }
        process.exit = ExitRecord(
            process: process.name, kind: process.kind, pid: process.pid, startedAtNanoseconds: process.startedAt,
            exitedAtNanoseconds: Clock.realtimeNanoseconds, exitCode: status.code,
            oomKills: process.kind == .exec ? 0 : process.cgroup.lend { oomKills(of: $0) } ?? 0)
        process.input = nil
        // What the main process leaves behind ends with it; an exec's processes are the daemon's to kill.
        if process.kind == .container { process.killCgroup() }
        process.phase = .draining
        if process.output == nil && process.error == nil { return finish(process) }
        process.deadline = Clock.monotonicNanoseconds + Supervisor.drainNanoseconds
        carryOutput(of: process, .output)
        carryOutput(of: process, .error)
    }

    /// The exit is recorded, then told.
    private mutating func finish(_ process: SupervisedProcess) {
        guard process.phase == .draining, let record = process.exit else { return }
        process.phase = .exited
        process.deadline = nil
        process.releaseDescriptors()
        if process.kind != .exec { write(record) }
        send(.exited(record), id: 0)
        if process.isUntilExit {
            process.phase = .abandoned
            removeIfReaped(process)
        }
    }

    /// A disk that does not take it leaves the record in memory, where the snapshot finds it.
    private func write(_ record: ExitRecord) {
        do throws(WireError) {
            let content = try ExitFile.encode(record)
            let name = Path(ExitFile.name(of: record.process))
            ignoringErrors { () throws(Errno) in try exitDirectory.replaceFile(name, content) }
        } catch {
            return
        }
    }

    /// `oom_kill` of memory.events: kills in the cgroup and below it, since it was made.
    private func oomKills(of cgroup: borrowing OwnedFD) -> UInt64 {
        let key = Path("oom_kill ").bytes
        do throws(Errno) {
            let text = try cgroup.open("memory.events", .readOnly).readToEnd(max: 4096)
            for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: key) {
                var value: UInt64 = 0
                for digit in line.dropFirst(key.count) where digit >= UInt8(ascii: "0") && digit <= UInt8(ascii: "9") {
                    value = value &* 10 &+ UInt64(digit - UInt8(ascii: "0"))
                }
                return value
            }
        } catch {
            // No memory controller here.
            return 0
        }
        return 0
    }
}
