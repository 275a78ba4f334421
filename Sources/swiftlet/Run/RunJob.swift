import CLICore
import CRIProto
import Foundation

/// The life of `swiftlet run`: image, pod, container, log, exit status, and all of it taken away again.
///
///     pulling -> settingUp -> running(container) -> ending
///
/// A signal ends the wait for the pull at once. While the pod is being set up it is only noted, for a call that nobody waits
/// for would leave a pod behind; it takes effect when that call is done. A running container is stopped by whoever tells the
/// job of the signal.
actor RunJob {
    /// When the image is pulled.
    enum Pulling: Sendable { case always, ifMissing, never }

    enum Phase: Equatable { case pulling, settingUp, running(container: String), ending }

    private let session: Session
    private let workload: Workload
    private let handler: String
    private let credentials: Runtime_V1_AuthConfig?
    private let pulling: Pulling
    /// Whether the pod stays when the container has ended.
    private let keeps: Bool
    /// Whether the directory of the log was made for this run alone.
    private let ownsLogDirectory: Bool

    private(set) var phase = Phase.pulling
    private var signal: Int32?
    private var podID: String?
    private var isStopped = false

    init(
        session: Session, workload: Workload, handler: String, credentials: Runtime_V1_AuthConfig?, pulling: Pulling,
        keeps: Bool, ownsLogDirectory: Bool
    ) {
        self.session = session
        self.workload = workload
        self.handler = handler
        self.credentials = credentials
        self.pulling = pulling
        self.keeps = keeps
        self.ownsLogDirectory = ownsLogDirectory
    }

    /// Notes a signal, and tells what the job is at.
    func interrupt(by signal: Int32) -> Phase {
        self.signal = self.signal ?? signal
        return phase
    }

    /// Runs to the end and returns the container's exit status. Whatever happens, it cleans up before it returns.
    func run() async throws -> Int32 {
        do {
            try await pull()
            phase = .settingUp
            let status = try await runContainer()
            try await cleanUp()
            return status
        } catch {
            phase = .ending
            do {
                try await cleanUp()
            } catch let second {
                // The first failure is the program's last word.
                bestEffort { try session.console.err("swiftlet: clean up: \(second)\n") }
            }
            throw signal.map { Failure.silent(exitStatus: 128 + $0) } ?? error
        }
    }

    // MARK: - Steps

    private func pull() async throws {
        if pulling != .always, try await session.image(workload.image) != nil { return }
        guard pulling != .never else {
            throw Failure("image \"\(workload.image)\" is not there and is not to be pulled")
        }
        _ = try await session.pull(workload.image, credentials: credentials)
    }

    private func runContainer() async throws -> Int32 {
        try stopIfInterrupted()
        let pod = workload.pod
        let podID = try await session.runPod(pod, handler: handler, within: session.slowest)
        self.podID = podID
        try stopIfInterrupted()
        let container = try await session.createContainer(workload.container, in: podID, pod, within: session.slow)
        try stopIfInterrupted()
        try await session.startContainer(container)
        phase = .running(container: container)
        if signal != nil { try await session.stopContainer(container, grace: 0) }

        var follower = try await show(container)
        phase = .ending
        let status = try await session.containerStatus(container).status
        // Something the container left behind may still write; when the pod has stopped nothing can.
        if !keeps {
            try await session.stopPod(podID)
            isStopped = true
        }
        _ = try follower.printAvailable()
        if status.reason == "OOMKilled" {
            try session.console.err("swiftlet: the container went over its memory limit\n")
        }
        return status.exitCode & 0xff
    }

    /// Shows what the container writes until it has ended, and sends it our input if it takes any.
    private func show(_ container: String) async throws -> LogFollower {
        let session = session
        var file = try LogFile(workload.logDirectory + "/" + Workload.logName)
        let input = RunInput(session: session, container: container, hasTerminal: workload.hasTerminal)
        // A terminal's half lines, such as a prompt, are in no log yet.
        if workload.hasInput, workload.hasTerminal, try await input.join() { try file.seekToLast(0) }
        var follower = LogFollower(file: file, printer: LogPrinter(console: session.console))
        let feeds = workload.hasInput && !workload.hasTerminal
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            if feeds { group.addTask { _ = try await input.join() } }
            try await follower.follow { try await session.hasEnded(container) }
            return follower
        }
    }

    private func stopIfInterrupted() throws {
        if let signal { throw Failure.silent(exitStatus: 128 + signal) }
    }

    private func cleanUp() async throws {
        if let podID, keeps {
            try session.console.err("swiftlet: kept pod \(podID)\n")
            return
        }
        if let podID {
            if !isStopped { try await session.stopPod(podID) }
            try await session.removePod(podID)
        }
        podID = nil
        guard ownsLogDirectory, FileManager.default.fileExists(atPath: workload.logDirectory) else { return }
        try FileManager.default.removeItem(atPath: workload.logDirectory)
    }
}
