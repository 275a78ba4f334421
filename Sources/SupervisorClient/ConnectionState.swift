package import LaunchProtocol
import Linux

/// A process that was launched.
package struct LaunchedProcess: Sendable {
    package var pid: Int32
    package var startedAtNanoseconds: Int64
    package var handle: ProcessHandle
    /// The other end of the terminal, where the plan has `passedTerminal`.
    package var terminal: SharedDescriptor?
}

/// A process as the supervisor knows it.
package struct SupervisedProcess: Sendable {
    package var state: ProcessState
    /// While it runs.
    package var handle: ProcessHandle?
}

/// What a request came to.
enum Answer: Sendable {
    case attached(Attached)
    case done
    case hello(Bytes, Int32, UInt16)
    case launched(LaunchedProcess)
    case processes([SupervisedProcess])
    /// The end of a snapshot, before its processes are put to it.
    case snapshot
    case socket(SharedDescriptor)
}

/// A request that has no answer yet.
struct Pending: Sendable {
    var operation: String
    /// Of a launch, and of a question whether its supervisor still works.
    var process: Bytes?
    var launch: Launch?
    var time: Duration
    var timer: Reactor.DeadlineID
    var waiter: OneShot<Result<Answer, SupervisorError>>?
    /// Of an attach.
    var onCut: (@Sendable () -> Void)?
    var processes: [SupervisedProcess] = []

    enum Launch: Sendable {
        case attended
        /// Only its exit is told, or that it failed; it stays until then.
        case untilExit
        /// As above, of a supervisor that does not know that: it has answered, and has to be told to forget.
        case forgetting
    }
}

/// A wait for an exit.
struct ExpectedExit: Sendable {
    let waiter: ConnectionState.ExitWaiter
    let key: UInt64
}

/// A datagram that the socket has not taken yet; it owns its descriptors.
final class OutgoingPacket: Sendable {
    fileprivate let bytes: Bytes
    fileprivate let descriptors: DescriptorTable

    init(bytes: Bytes, descriptors: consuming DescriptorTable) {
        self.bytes = bytes
        self.descriptors = descriptors
    }
}

extension PacketSocket {
    func send(_ packet: OutgoingPacket) throws(Errno) { try send(packet.bytes, with: packet.descriptors) }

    func withDescriptor(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno) { try body(fd) }
}

/// What a connection remembers; pure.
struct ConnectionState: Sendable {
    typealias ExitWaiter = OneShot<Result<ExitRecord?, SupervisorError>>

    /// The greeting's place among the pending requests; requests never have it.
    static let helloID: UInt32 = 0
    static let outboxMax = 256
    /// So many ended execs are forgotten at once.
    static let forgettableMax = 16

    var pending: [UInt32: Pending] = [:]
    var outbox: [OutgoingPacket] = []
    var token: Reactor.Token?
    /// Ended execs that the supervisor has not been told to forget.
    var forgettable: [Bytes] = []
    var forgetTimer: Reactor.DeadlineID?
    private(set) var isEnded = false
    private var nextID: UInt32 = 1
    /// Of processes that are not forgotten yet: an exit may come before anybody asks for it.
    private var exits: [Bytes: ExitRecord] = [:]
    private var exitWaiters: [UInt64: (process: Bytes, waiter: ExitWaiter)] = [:]
    private var nextWaiter: UInt64 = 0
    /// What to call when an attached client has lost its place.
    private var clients: [UInt64: @Sendable () -> Void] = [:]

    mutating func noteClient(_ client: UInt64, answering id: UInt32) { clients[client] = pending[id]?.onCut }

    mutating func takeClient(_ client: UInt64) -> (@Sendable () -> Void)? { clients.removeValue(forKey: client) }

    mutating func takeID() -> UInt32 {
        let id = nextID
        nextID = nextID == UInt32.max ? 1 : nextID + 1
        return id
    }

    func launchID(of process: Bytes) -> UInt32? {
        pending.first { $0.value.process == process && $0.value.launch != nil }?.key
    }

    /// Where an answer to a launch was not asked for: the timer of the launch, which is over.
    mutating func noteUnasked(_ id: UInt32) -> Reactor.DeadlineID? {
        guard let launch = pending[id], launch.launch == .untilExit else { return nil }
        pending[id]?.launch = .forgetting
        return launch.timer
    }

    /// The exit of a launch until exit is for who waits now: nobody else knows the process.
    mutating func noteExit(_ record: ExitRecord) -> (waiters: [ExitWaiter], launch: Pending?) {
        let waiters = exitWaiters(of: record.process)
        if let id = launchID(of: record.process), pending[id]?.launch != .attended {
            return (waiters, pending.removeValue(forKey: id))
        }
        exits[record.process] = record
        return (waiters, nil)
    }

    /// A further wait for a launch until exit; nil where that is over.
    mutating func awaitExitOn(of process: Bytes, _ waiter: ExitWaiter) -> UInt64? {
        launchID(of: process) == nil ? nil : awaitExit(of: process, waiter)
    }

    func exitWaiters(of process: Bytes) -> [ExitWaiter] {
        exitWaiters.values.filter { $0.process == process }.map(\.waiter)
    }

    mutating func noteProcess(_ process: SupervisedProcess, answering id: UInt32) {
        // Nobody waits for the list: it was asked for to see whether an answer comes.
        guard pending[id]?.waiter != nil else { return }
        if let record = process.state.exit { exits[record.process] = record }
        pending[id]?.processes.append(process)
    }

    mutating func forgetExit(of process: Bytes) { exits[process] = nil }

    /// Answers at once where the process has ended already, or the connection.
    mutating func awaitExit(of process: Bytes, _ waiter: ExitWaiter) -> UInt64 {
        nextWaiter += 1
        if let record = exits[process] {
            waiter.resolve(.success(record))
        } else if isEnded {
            waiter.resolve(.failure(.connectionLost))
        } else {
            exitWaiters[nextWaiter] = (process, waiter)
        }
        return nextWaiter
    }

    mutating func stopAwaitingExit(_ key: UInt64) { exitWaiters[key] = nil }

    /// What has to be told that the connection has ended; nil where it had ended before.
    mutating func end() -> (pending: [Pending], exitWaiters: [ExitWaiter], token: Reactor.Token?)? {
        if isEnded { return nil }
        isEnded = true
        let waiting = (Array(pending.values), exitWaiters.values.map(\.waiter), token)
        pending = [:]
        outbox = []
        clients = [:]
        exitWaiters = [:]
        token = nil
        return waiting
    }
}
