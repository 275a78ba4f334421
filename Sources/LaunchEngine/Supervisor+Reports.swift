import LaunchProtocol
import Linux

extension Supervisor {
    /// Reads what a launching child says; at the end of it the launch is decided. A few packets a turn: who has got hold of the
    /// other end cannot keep the rest of the pod waiting.
    mutating func readReports(of process: SupervisedProcess) {
        for _ in 0..<16 where process.report != nil {
            do throws(Errno) {
                let received = try process.report.lend { report throws(Errno) in
                    try report.receive(max: ChildReport.bytesMax)
                }
                guard let outer = received else { return }
                guard var packet = outer else { return decide(process) }
                take(packet.bytes, &packet.descriptors, from: process)
            } catch {
                if error == .again { return }
                return decide(process)
            }
        }
    }

    mutating func release(_ name: Bytes, go: Bool, id: UInt32) {
        guard let process = process(named: name), process.phase == .held else { return refuse(id, .noProcess, name) }
        do throws(Errno) {
            _ = try process.report.lend { report throws(Errno) in try report.send([go ? 1 : 0]) }
        } catch {
            // Dead while held: its end is an event of its own.
            return refuse(id, error, name)
        }
        process.phase = .launching
        process.deadline = Clock.monotonicNanoseconds + process.remaining
        send(.done, id: id)
        if !go { giveUp(process, .canceled) }
    }

    /// Ends a launch that goes on. What has been said already counts, above all who the member is.
    mutating func giveUp(_ process: SupervisedProcess, _ errno: Errno) {
        readReports(of: process)
        findMember(of: process)
        abandon(process, LaunchFailure(stepIndex: stepAtWork(process), errno: errno))
    }

    /// Answers that a launch has failed and kills what there is of it. The process stays until it can be reaped: one that hangs
    /// in a dead file system keeps nobody waiting.
    mutating func abandon(_ process: SupervisedProcess, _ failure: LaunchFailure) {
        guard process.phase == .launching || process.phase == .held else { return }
        process.report = nil
        process.killLaunch()
        process.phase = .abandoned
        process.deadline = nil
        // Unwatched it would never be reaped.
        ignoringErrors { () throws(Errno) in try watchFirst(process) }
        send(
            .launchFailed(
                process: process.name, stepIndex: failure.stepIndex, errno: failure.errno.number,
                detail: failure.detail), id: replyID(process))
        removeIfReaped(process)
    }

    /// The step that a launching child was at, from its name; the kernel keeps that even for a zombie.
    func stepAtWork(_ process: SupervisedProcess) -> UInt32 {
        do throws(Errno) {
            let file = Path(decimal(UInt64(process.pid.magnitude)) + Path("/comm").bytes)
            return StepName.index(in: try proc.read(file, max: 64)) ?? BirthFailure.beforeSteps
        } catch {
            return BirthFailure.beforeSteps
        }
    }

    // MARK: - Private

    private mutating func take(
        _ bytes: Bytes, _ descriptors: inout DescriptorTable, from process: SupervisedProcess
    ) {
        guard let report = ChildReport(bytes) else { return }
        switch report {
        case .terminal:
            if process.passedTerminal == nil { process.passedTerminal = descriptors.take(0) }
        case .held(let point):
            guard process.phase == .launching, let deadline = process.deadline else { return }
            process.phase = .held
            process.remaining = max(0, deadline - Clock.monotonicNanoseconds)
            process.deadline = nil
            send(.held(process: process.name, pid: process.pid, point: point), id: replyID(process))
        case .member(let pid): takeMember(pid, of: process)
        case .failed(let failure):
            if process.failure == nil { process.failure = failure }
        }
    }

    /// A member that a container has stopped before its first word is known to its cgroup. Never reaped, it would keep the
    /// whole namespace from ending (pid_namespaces(7)).
    private mutating func findMember(of process: SupervisedProcess) {
        guard process.isAlone, !process.isBorn, process.phase == .launching else { return }
        do throws(Errno) {
            let list = try process.cgroup.lend { cgroup throws(Errno) in
                try cgroup.open("cgroup.procs", .readOnly).readToEnd(max: 4_096)
            }
            for line in (list ?? []).split(separator: UInt8(ascii: "\n")) {
                takeMember(Int32(clamping: number(line) ?? 0), of: process)
            }
        } catch {
            return
        }
    }

    /// The sibling that a late birth has made. The number is only a claim: it must be a child of ours that nobody knows yet.
    private mutating func takeMember(_ pid: Int32, of process: SupervisedProcess) {
        guard !process.isBorn else {
            if pid == process.pid { process.isSaidTwice = true }
            return
        }
        for known in processes where known.pid == pid { return }
        do throws(Errno) {
            let member = try Pidfd.open(pid: pid)
            guard member.isChild() else { return }
            if process.isFirstWatched {
                _ = try process.pidfd.lend { pidfd throws(Errno) in
                    try epoll.modify(pidfd.fd, .readable, token: Token.process(process.serial, .outside).rawValue)
                }
            }
            try epoll.add(member.fd, .readable, token: Token.process(process.serial, .pidfd).rawValue)
            process.outside = process.pidfd.take()
            process.pidfd = consume member
            process.pid = pid
            process.hasEnded = false
            process.isBorn = true
        } catch {
            process.failure = process.failure ?? LaunchFailure(errno: error)
        }
    }

    /// Nobody holds the other end any more: the program runs, or the process has failed or died.
    private mutating func decide(_ process: SupervisedProcess) {
        process.report = nil
        if let failure = process.failure {
            abandon(process, failure)
        } else if hasExecuted(process) {
            complete(process)
        } else {
            mourn(process)
        }
        // What was put off until this decision.
        if process.hasEnded {
            process.hasEnded = false
            handleEnd(of: process)
        }
        // Last, for it may still be on its way out.
        if process.isQuiet && process.phase == .running { reapOutside(of: process) }
    }

    private func hasExecuted(_ process: SupervisedProcess) -> Bool {
        guard process.isBorn else { return false }
        // Cheaper than a look into /proc, which a probe would pay for. One that is killed in execve(2) closes its files a moment
        // before it has a status: found in that moment it counts as a program that was killed, and its exit says so.
        if process.isSaidTwice, process.pidfd.lend({ $0.peekStatus() }) == .some(nil) { return true }
        do throws(Errno) { return try proc.hasExecuted(pid: process.pid) } catch { return false }
    }

    /// Answers for a launching process that died before it could say why: how it ended is the only word that there is. Its
    /// files are closed a moment before it has a status; then this is called again at its end. The status stays unreaped.
    mutating func mourn(_ process: SupervisedProcess) {
        let epitaph: Bytes
        switch process.pidfd.lend({ $0.peekStatus() }) ?? nil {
        case .signaled(let signal): epitaph = Path("signal ").bytes + decimal(UInt64(signal.rawValue.magnitude))
        case .exited(let code): epitaph = Path("exit code ").bytes + decimal(UInt64(code.magnitude))
        case nil: return ignoringErrors { () throws(Errno) in try watchFirst(process) }
        }
        abandon(process, LaunchFailure(stepIndex: stepAtWork(process), errno: .noProcess, detail: epitaph))
    }

    private mutating func complete(_ process: SupervisedProcess) {
        process.deadline = nil
        process.phase = .running
        process.startedAt = Clock.realtimeNanoseconds
        do throws(Errno) {
            try takeTerminal(process)
            try watchOutput(process)
        } catch {
            // Its output could not be seen: it must not run so.
            process.phase = .launching
            return abandon(process, LaunchFailure(errno: error, detail: Path("streams").bytes))
        }
        if process.isUntilExit { return process.passedTerminal = nil }
        let reply = Reply.launched(process: process.name, pid: process.pid, startedAtNanoseconds: process.startedAt)
        let id = replyID(process)
        let terminal = process.passedTerminal.take()
        _ = process.pidfd.lend { pidfd in
            if terminal.lend({ send(reply, id: id, with: pidfd.fd, $0) }) == nil { send(reply, id: id, with: pidfd.fd) }
        }
    }

    private func takeTerminal(_ process: SupervisedProcess) throws(Errno) {
        switch process.streams {
        case .loggedTerminal:
            guard let terminal = process.passedTerminal.take() else { throw .noTerminal }
            try terminal.setNonBlocking(true)
            process.output = LogSource(terminal, .output)
            process.hasLoggedTerminal = true
        case .passedTerminal:
            if process.passedTerminal == nil { throw .noTerminal }
        case .null, .logged, .passed: process.passedTerminal = nil
        }
    }

    private func watchOutput(_ process: SupervisedProcess) throws(Errno) {
        _ = try process.output.lend { source throws(Errno) in
            try epoll.add(source.fd, .readable, token: Token.process(process.serial, .output).rawValue)
        }
        _ = try process.error.lend { source throws(Errno) in
            try epoll.add(source.fd, .readable, token: Token.process(process.serial, .error).rawValue)
        }
    }
}
