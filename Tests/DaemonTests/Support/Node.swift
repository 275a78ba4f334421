import Foundation
import Synchronization
import TestKit

/// A node of the tests' own: `rootfs-tools/node` with registry, CNI and daemon. One for all tests; they run one by one.
///
/// The tests stay outside of its namespaces: the CRI socket is reached by its path, files through `/proc/<init>/root`, and
/// commands go in with nsenter(1).
final class Node: Sendable {
    @TaskLocal static var shared: Node?

    /// The node of the running test.
    static var current: Node {
        get throws {
            guard let shared else { throw TestFailure("no node: the test is not in the suite that starts one") }
            return shared
        }
    }

    /// Process 1 of the node, by the number that this process sees.
    let initProcess: Int32
    /// The node's own directories; below /proc/<init>/root for us.
    let root: String
    let state: String
    /// A word in the names of all the node's cgroups.
    let mark: String
    let socket: String
    /// A directory that the node sees under the same path.
    let work: TemporaryRoot

    private let holder: Process
    private let input: Pipe
    private let connection = Mutex<CRIClient?>(nil)
    private let numbers = Mutex(0)

    static let binaries = ProcessInfo.processInfo.environment["SWIFTLET_BIN"] ?? ""
    static let launcher = ProcessInfo.processInfo.environment["SWIFTLET_LAUNCH"] ?? ""
    static let tools = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("rootfs-tools").path
    static let isInGuest = ProcessInfo.processInfo.environment["SWIFTLET_IN_GUEST"] == "1"
    /// `make daemon-test` says where the programs are; a plain `swift test` does not, and is no root either.
    static var canStart: Bool { !binaries.isEmpty && !launcher.isEmpty && geteuid() == 0 }

    private init(holder: Process, input: Pipe, greeting: String, work: TemporaryRoot) throws {
        let words = greeting.split(separator: " ").map(String.init)
        guard words.count == 3 else { throw TestFailure("the node did not come up: \"\(greeting)\"") }
        self.holder = holder
        self.input = input
        self.work = work
        root = words[0]
        state = words[1]
        mark = (words[0] as NSString).lastPathComponent
        socket = words[1] + "/swiftlet.sock"
        guard let first = Processes.all().first(where: { Processes.isFirst($0, ofNamespace: words[2]) }) else {
            throw TestFailure("the node has no process 1 in \(words[2])")
        }
        initProcess = first
    }

    static func start() async throws -> Node {
        let work = try TemporaryRoot("swiftlet-daemon")
        let holder = Process()
        let (input, output) = (Pipe(), Pipe())
        holder.executableURL = URL(fileURLWithPath: tools + "/node")
        holder.arguments =
            ["--bin", binaries, "--launcher", launcher, "--images", "base", "--", "sh", "-c"]
            + ["echo \"$NODE_ROOT $NODE_STATE $(readlink /proc/self/ns/pid)\"; exec cat >/dev/null"]
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        var greeting: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0a {
            greeting.append(byte)
        }
        let node = try Node(
            holder: holder, input: input, greeting: String(decoding: greeting, as: UTF8.self), work: work)
        try await node.awaitDaemon()
        return node
    }

    /// Ends the node and everything in it.
    func stop() async throws {
        await disconnect()
        try input.fileHandleForWriting.close()
        try await eventually("the node ends", within: .seconds(120)) { !self.holder.isRunning }
    }

    // MARK: Inside

    /// Where this process finds a path of the node.
    func path(_ inside: String) -> String { "/proc/\(initProcess)/root\(inside)" }

    func text(_ inside: String) throws -> String { String(decoding: try readFile(path(inside)), as: UTF8.self) }

    /// Runs a command in all of the node's namespaces.
    func run(_ command: String...) async throws -> CommandResult {
        try await Commands.run(inside(command), output: work)
    }

    /// Runs a command that has to succeed and returns its output.
    @discardableResult
    func succeed(_ command: String...) async throws -> String {
        let result = try await Commands.run(inside(command), output: work)
        guard result.status == 0 else {
            throw TestFailure("\(command): status \(result.status): \(result.stdout) \(result.stderr)")
        }
        return result.stdout
    }

    func inside(_ command: [String]) -> [String] {
        ["nsenter", "--target", "\(initProcess)", "--mount", "--uts", "--ipc", "--net", "--pid", "--"] + command
    }

    /// A name that no other test uses.
    func unique(_ name: String) -> String {
        numbers.withLock {
            $0 += 1
            return "\(name)-\($0)"
        }
    }

    // MARK: The daemon's client

    /// The connection to the daemon, made anew after a restart.
    func client() async throws -> CRIClient {
        if let known = connection.withLock({ $0 }) { return known }
        let fresh = try await CRIClient(socket: socket)
        connection.withLock { $0 = fresh }
        return fresh
    }

    func disconnect() async {
        let old = connection.withLock { connection in
            defer { connection = nil }
            return connection
        }
        await old?.close()
    }
}
