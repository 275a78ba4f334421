import LaunchProtocol
import Linux

/// The parent of a pod's processes: one thread that waits in epoll_wait(2) and nowhere else.
///
/// It is up as long as its pod, daemon or no daemon: children are reaped, logs written and exits recorded whether anybody is
/// connected or not. It decides nothing: what to run comes as a plan, and everything it is asked for is one kernel operation.
struct Supervisor: ~Copyable {
    let podID: Bytes
    let pid: Int32
    var epoll: Epoll
    let listener: PacketListener
    let podDirectory: OwnedFD
    let exitDirectory: OwnedFD
    /// The sealed program that this process runs: for the pod's init.
    let launcher: OwnedFD
    let proc: PrivateProc
    var connection: ControlConnection?
    /// Number of the newest connection; 0 before the first.
    var connections: UInt64 = 0
    var processes: [SupervisedProcess] = []
    var nextSerial: UInt64 = 1
    var nextClient: UInt64 = 1
    var pump: LogPump
    /// Read before the first launch.
    var limits: ResourceLimits?
    var isOver = false
    /// Whether something was allocated since the heap was last trimmed.
    var isHeapWarm = true

    /// More than any pod has; a bound, not a target.
    static let processesMax = 1_024
    /// Output after the end of a container's main process is waited for so long: writers are dead by cgroup.kill.
    static let drainNanoseconds: Int64 = 1_000_000_000
    private static let restMilliseconds: Int32 = 200

    init(
        podID: Bytes, listener: consuming PacketListener, podDirectory: consuming OwnedFD,
        exitDirectory: consuming OwnedFD, launcher: consuming OwnedFD, proc: consuming PrivateProc
    ) throws(Errno) {
        let epoll = try Epoll()
        let pump = try LogPump()
        try epoll.add(listener.fd, .readable, token: Token.listener.rawValue)
        self.podID = podID
        pid = CurrentProcess.pid
        self.epoll = epoll
        self.listener = listener
        self.podDirectory = podDirectory
        self.exitDirectory = exitDirectory
        self.launcher = launcher
        self.proc = proc
        self.pump = pump
    }

    /// Serves until `shutdown`.
    mutating func run() {
        while !isOver {
            let ready = waited(milliseconds: timeout)
            for event in ready { handle(event) }
            expireDeadlines()
            if ready.isEmpty { rest() }
        }
    }

    // MARK: - Private

    private mutating func waited(milliseconds: Int32?) -> [Epoll.Ready] {
        do throws(Errno) {
            return try epoll.wait(milliseconds: milliseconds)
        } catch {
            // The arguments are right by construction; what is left is want of memory, which passes.
            return []
        }
    }

    /// Until the next deadline, or until it is time to give memory back; nil when there is neither.
    private var timeout: Int32? {
        var next: Int64?
        for process in processes {
            if let deadline = process.deadline { next = min(next ?? deadline, deadline) }
        }
        let rest = pump.isWarm || isHeapWarm ? Supervisor.restMilliseconds : nil
        guard let next else { return rest }
        // Rounded up, so that the deadline has passed when the wait is over.
        let left = max(0, (next - Clock.monotonicNanoseconds) / 1_000_000 + 1)
        let milliseconds = Int32(clamping: left)
        return min(milliseconds, rest ?? milliseconds)
    }

    private mutating func rest() {
        if pump.isWarm { pump.rest() }
        if isHeapWarm {
            Heap.trim()
            isHeapWarm = false
        }
    }

    private mutating func handle(_ event: Epoll.Ready) {
        isHeapWarm = true
        let token = Token(rawValue: event.token)
        switch token {
        case .listener: acceptConnection()
        case .connection(let number): serve(connection: number)
        case .client(let number): clientLeft(number)
        case .process(let serial, let part):
            // An earlier event of this batch may have removed it.
            guard let process = process(serial: serial) else { return }
            switch part {
            case .pidfd: handleEnd(of: process)
            case .outside: reapOutside(of: process)
            case .report: readReports(of: process)
            case .output: carryOutput(of: process, .output)
            case .error: carryOutput(of: process, .error)
            }
        }
    }

    private mutating func expireDeadlines() {
        var now: Int64?
        for process in processes {
            guard let deadline = process.deadline else { continue }
            let time = now ?? Clock.monotonicNanoseconds
            now = time
            if deadline > time { continue }
            process.deadline = nil
            switch process.phase {
            case .launching: giveUp(process, .timedOut)
            case .draining: finishStreams(of: process)
            case .held, .abandoned, .running, .exited: break
            }
        }
    }
}

extension Supervisor {
    func process(serial: UInt64) -> SupervisedProcess? {
        for process in processes where process.serial == serial { return process }
        return nil
    }

    /// The process of a name; one that was abandoned has lost it.
    func process(named name: Bytes) -> SupervisedProcess? {
        for process in processes where process.phase != .abandoned && process.name == name { return process }
        return nil
    }

    /// Drops a process of which nothing is wanted any more, once the kernel has nothing of it either.
    mutating func removeIfReaped(_ process: SupervisedProcess) {
        guard process.phase == .abandoned, process.pidfd == nil, process.outside == nil else { return }
        process.releaseDescriptors()
        processes.removeAll { $0 === process }
    }
}

/// What an epoll event is about: packed into the 64 bits that the kernel keeps.
enum Token: Equatable {
    enum Part: UInt64 { case pidfd = 0, outside = 1, report = 2, output = 3, error = 4 }

    case listener
    case connection(UInt64)
    case process(UInt64, Part)
    /// A pipe of an attached client.
    case client(UInt64)

    init(rawValue: UInt64) {
        let number = rawValue >> 8
        switch (rawValue & 0xf0, Part(rawValue: rawValue & 0xf)) {
        case (0x10, _): self = .connection(number)
        case (0x20, .some(let part)): self = .process(number, part)
        case (0x30, _): self = .client(number)
        default: self = .listener
        }
    }

    var rawValue: UInt64 {
        switch self {
        case .listener: 0
        case .connection(let number): number << 8 | 0x10
        case .process(let serial, let part): serial << 8 | 0x20 | part.rawValue
        case .client(let number): number << 8 | 0x30
        }
    }
}
