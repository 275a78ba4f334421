import ArgumentParser
import CLICore
import CRIProto
import GRPC
import SwiftProtobuf

struct Logs: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a container wrote.",
        usage: "swiftlet logs [OPTIONS] CONTAINER",
        discussion: "Reads the log file on this machine. Standard output and standard error stay apart.")

    @Argument(help: "The container's id or the beginning of it.", completion: .containers)
    var container: String

    @Flag(name: .shortAndLong, help: "Go on until the container has ended.")
    var follow = false

    @Flag(name: .shortAndLong, help: "Show the container of the previous attempt in the same pod.")
    var previous = false

    @Flag(name: .shortAndLong, help: "Have the runtime open the log file anew; show nothing.")
    var reopen = false

    @Option(parsing: .unconditional, help: "Show only the last lines, this many; -1 means all.")
    var tail: Int?

    @Option(parsing: .unconditional, help: "Show at most this many bytes; -1 means all.")
    var limitBytes: Int?

    @Option(help: "Show only what is newer: a time such as 2026-01-02T13:23:37Z, or 42m for the last 42 minutes.")
    var since: String?

    @Flag(name: .shortAndLong, help: "Begin each line with its time.")
    var timestamps = false

    @Option(name: .shortAndLong, help: "Show only stdout or stderr.")
    var stream: String?

    func run(_ session: Session) async throws {
        let printer = LogPrinter(
            console: session.console, showsTimes: timestamps, since: try parseSince(session.console.now()),
            only: try parseStream(), bytesMax: try nonNegative(limitBytes, "--limit-bytes"))
        let lines = try nonNegative(tail, "--tail")
        let id = try await chosenContainer(session)
        if reopen {
            _ = try await session.runtime.call(
                CRIMethods.reopenContainerLog, .with { $0.containerID = id }, within: session.slow,
                to: "reopen the log of container \"\(id)\"")
            return
        }
        let path = try await session.containerStatus(id).status.logPath
        guard !path.isEmpty else {
            throw Failure("container \"\(id)\" keeps no log: its configuration has no log_path")
        }
        var file = try LogFile(path)
        if let lines { try file.seekToLast(lines) }
        var follower = LogFollower(file: file, printer: printer)
        guard follow else {
            _ = try follower.printAvailable()
            return
        }
        try await follower.follow { try await session.patient.hasEnded(id) }
    }

    private func chosenContainer(_ session: Session) async throws -> String {
        let all = try await session.containers()
        let id = try resolveID(container, among: all.map(\.id), noun: "container")
        guard previous, let chosen = all.first(where: { $0.id == id }) else { return id }
        let earlier = all.filter { other in
            other.podSandboxID == chosen.podSandboxID && other.metadata.name == chosen.metadata.name
                && other.metadata.attempt < chosen.metadata.attempt
        }
        guard let last = earlier.max(by: { $0.metadata.attempt < $1.metadata.attempt }) else {
            throw Failure("container \"\(id)\" has no previous attempt")
        }
        return last.id
    }

    private func parseSince(_ now: UnixNanoseconds) throws(Failure) -> UnixNanoseconds? {
        guard let since else { return nil }
        if let time = parseRFC3339(since) { return time }
        guard let ago = parseDuration(since), let nanoseconds = Int64(exactly: (ago / .nanoseconds(1)).rounded()) else {
            throw .usage(
                "--since \"\(printable(since))\": neither a time such as 2026-01-02T13:23:37Z nor a length of time such as 42m"
            )
        }
        return now - nanoseconds
    }

    private func parseStream() throws(Failure) -> LogRecord.Stream? {
        switch stream {
        case nil: nil
        case "stdout": .stdout
        case "stderr": .stderr
        default: throw .usage("--stream: expected stdout or stderr")
        }
    }

    /// A count; below zero means no limit, as for crictl.
    private func nonNegative(_ value: Int?, _ flag: String) throws(Failure) -> Int? {
        guard let value, value != -1 else { return nil }
        guard value >= 0 else { throw .usage("\(flag) \(value): expected 0 or more") }
        return value
    }
}

extension Session {
    /// Whether a container runs no more; one that is gone does not.
    func hasEnded(_ id: String) async throws -> Bool {
        do {
            return try await containerStatus(id).status.state != .containerRunning
        } catch let failure as Failure where failure.code == .notFound {
            return true
        }
    }
}
