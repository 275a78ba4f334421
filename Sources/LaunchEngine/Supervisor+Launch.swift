import LaunchProtocol
import Linux

/// Why a launch was not even tried.
private struct Refusal: Error {
    var errno: Errno
    var detail: Bytes
}

extension Supervisor {
    mutating func launch(
        _ name: Bytes, container: Bytes, untilExit: Bool, id: UInt32, _ descriptors: inout DescriptorTable
    ) {
        do throws(Refusal) {
            try start(name, container: container, untilExit: untilExit, id: id, &descriptors)
        } catch {
            refuse(id, error.errno, error.detail)
        }
    }

    private mutating func start(
        _ name: Bytes, container: Bytes, untilExit: Bool, id: UInt32, _ descriptors: inout DescriptorTable
    ) throws(Refusal) {
        guard process(named: name) == nil else { throw Refusal(errno: .alreadyExists, detail: name) }
        guard processes.count < Supervisor.processesMax else { throw Refusal(errno: .tooBig, detail: name) }
        guard let planFile = descriptors.take(0), let cgroup = descriptors.take(1) else {
            throw Refusal(errno: .badDescriptor, detail: name)
        }
        let header = try header(of: planFile)
        guard header.kind != .birth else { throw Refusal(errno: .invalidArgument, detail: Path("kind").bytes) }
        let joinTarget = header.kind == .exec ? try target(container) : nil
        let pidTarget = try pidTarget(header)
        let isAlone = isAlone(header, in: container)
        makeRoom(for: header)
        do throws(Errno) {
            var pair = try PacketSocket.pair()
            try pair.first.fd.setNonBlocking(true)
            var streams = try LaunchStreams(header.streams, &descriptors)
            let inheritance = ChildInheritance(
                plan: planFile, report: pair.takeSecond(), proc: try proc.duplicate(), joinTarget: joinTarget,
                pidTarget: pidTarget, launcher: header.kind == .podInit ? try launcher.duplicate() : nil,
                limits: inheritedLimits(), isAlone: isAlone, streams: streams.takeChild())
            switch try ProcessClone.make(into: cgroup, header.pidNamespace == .new ? .pid : []) {
            case .child:
                LaunchedChild.run(inheritance)
            case .parent(let pid, let pidfd):
                let process = SupervisedProcess(
                    serial: nextSerial, name: name, header: header, isAlone: isAlone, pid: pid, pidfd: pidfd,
                    report: pair.takeFirst(),
                    connection: connections, request: id, isUntilExit: untilExit, cgroup: cgroup,
                    streams: streams.parent)
                nextSerial += 1
                processes.append(process)
                process.deadline = Clock.monotonicNanoseconds + Int64(header.deadlineMilliseconds) * 1_000_000
                watchLaunch(process)
            }
        } catch {
            throw Refusal(errno: error, detail: name)
        }
    }

    /// The supervisor's limits, which only its birth plan changes.
    private mutating func inheritedLimits() -> ResourceLimits {
        if let limits { return limits }
        let read = ResourceLimits.current()
        limits = read
        return read
    }

    private func header(of plan: borrowing OwnedFD) throws(Refusal) -> LaunchPlan {
        do throws(Errno) {
            try MemoryFile.checkSeals(plan)
            let front = try plan.read(max: PlanCoder.headerBytesMax, at: 0)
            do throws(WireError) { return try PlanCoder.decodeHeader(front) } catch { throw .protocolError }
        } catch {
            throw Refusal(errno: error, detail: Path("plan").bytes)
        }
    }

    private func pidTarget(_ header: LaunchPlan) throws(Refusal) -> Pidfd? {
        switch header.pidNamespace {
        case .host, .new: return nil
        case .container(let name): return try target(name)
        case .podInit:
            for process in processes where process.kind == .podInit && process.phase == .running {
                return try duplicate(process)
            }
            throw Refusal(errno: .noProcess, detail: Path("pod init").bytes)
        }
    }

    /// A running process of the pod.
    private func target(_ name: Bytes) throws(Refusal) -> Pidfd {
        guard let process = process(named: name), process.phase == .running else {
            throw Refusal(errno: .noProcess, detail: name)
        }
        return try duplicate(process)
    }

    private func duplicate(_ process: SupervisedProcess) throws(Refusal) -> Pidfd {
        do throws(Errno) {
            let pidfd = try process.pidfd.lend { pidfd throws(Errno) in try pidfd.duplicate() }
            guard let pidfd else { throw Errno.noProcess }
            return pidfd
        } catch {
            throw Refusal(errno: error, detail: process.name)
        }
    }

    private mutating func watchLaunch(_ process: SupervisedProcess) {
        do throws(Errno) {
            if !process.isQuiet { try watchFirst(process) }
            _ = try process.report.lend { report throws(Errno) in
                try epoll.add(
                    report.fd, process.isQuiet ? .hangUp : .readable,
                    token: Token.process(process.serial, .report).rawValue)
            }
        } catch {
            // Unwatched it would never be reaped.
            abandon(process, LaunchFailure(errno: error))
        }
    }
}

extension LaunchStreams {
    /// The child's ends, which the supervisor must not keep: an end of file would never come.
    mutating func takeChild() -> ChildStreams {
        var given = ChildStreams()
        swap(&given, &child)
        return given
    }
}
