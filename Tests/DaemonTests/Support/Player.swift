import Foundation
import TestKit

/// A `swiftlet play` that runs inside the node, with what it has said so far.
final class Player {
    private let node: Node
    private let process: Process
    private let output: String

    static func state(_ node: Node) -> String { node.work.path + "/play" }

    init(_ node: Node, _ manifest: String, _ flags: String...) throws {
        self.node = node
        output = try node.work.write("", to: node.unique("play") + ".out")
        let program =
            ["env", "CONTAINER_RUNTIME_ENDPOINT=unix://\(node.socket)", "\(Node.binaries)/swiftlet", "play"]
            + ["--back-off-scale", "0.01", "--state-dir", Self.state(node)] + flags + [manifest]
        process = try Commands.start(node.inside(program), stdout: output, stderr: output)
    }

    var text: String { get throws { String(decoding: try readFile(output), as: UTF8.self) } }

    var lines: [String] { get throws { try text.split(separator: "\n").map(String.init) } }

    /// Waits until a line has been said, and returns what was said.
    func wait(for line: String) async throws {
        try await eventually("play says \"\(line)\"") { try self.lines.contains { $0.hasPrefix(line) } }
    }

    func signal(_ signal: Int32) throws {
        // nsenter(1) forks for a new PID namespace: the program is its child, and the signal is for that.
        let namespace = Processes.link(node.initProcess, "ns/pid")
        let player = Processes.all().first {
            Processes.name($0) == "swiftlet" && Processes.link($0, "ns/pid") == namespace
        }
        guard let player, kill(player, signal) == 0 else { throw TestFailure("no play runs in the node") }
    }

    /// Waits for the program's end and returns its status.
    @discardableResult
    func end() async throws -> Int32 {
        try await eventually("play ends") { !self.process.isRunning }
        return process.terminationStatus
    }
}
