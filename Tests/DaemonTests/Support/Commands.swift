import Foundation
import TestKit

/// How a command ended and what it said.
struct CommandResult: Sendable {
    let status: Int32
    let stdout: String
    let stderr: String
}

enum Commands {
    /// Runs a program to its end; output goes through files, which have no size at which a writer would wait.
    static func run(_ command: [String], output: TemporaryRoot) async throws -> CommandResult {
        let name = UUID().uuidString
        let files = try ["out", "err"].map { try output.write("", to: "\(name).\($0)") }
        defer { for file in files { unlink(file) } }
        let process = try start(command, stdout: files[0], stderr: files[1])
        try await eventually("\(command) ends", within: .seconds(120)) { !process.isRunning }
        let texts = try files.map { String(decoding: try readFile($0), as: UTF8.self) }
        return CommandResult(status: process.terminationStatus, stdout: texts[0], stderr: texts[1])
    }

    /// Starts a program whose output is added to files.
    static func start(_ command: [String], stdout: String, stderr: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = FileHandle.nullDevice
        let outputs = try (append(stdout), append(stderr))
        defer {
            // The process has its own by then; these would stay open as long as its object lives.
            outputs.0.closeFile()
            outputs.1.closeFile()
        }
        process.standardOutput = outputs.0
        process.standardError = outputs.1
        try process.run()
        return process
    }

    private static func append(_ path: String) throws -> FileHandle {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestFailure("open \(path): errno \(errno)") }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}

/// Waits until something holds; fails at the deadline.
func eventually(
    _ what: String, within limit: Duration = .seconds(120), isolation: isolated (any Actor)? = #isolation,
    _ holds: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !holds() {
        guard ContinuousClock.now < deadline else { throw TestFailure("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
