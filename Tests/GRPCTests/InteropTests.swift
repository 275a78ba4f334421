import Foundation
import Testing

/// The server against a client of another implementation: Python's grpcio, which stands on gRPC's C core.
@Suite(.timeLimit(.minutes(10))) struct InteropTests {
    private static let grpcio = "grpcio==1.85.1"

    @Test func `grpcio and the server understand each other`() async throws {
        let python = try await virtualEnvironment() + "/bin/python"
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/grpc/interop.py")
        try await TestServer.with { server in
            let result = try await run(python, [script.path, server.path])
            #expect(result.status == 0, "\(result.output)")
            #expect(result.output.split(separator: "\n").count { $0.hasPrefix("passed ") } == 12, "\(result.output)")
        }
    }

    /// A Python with grpcio, kept between runs in the user's cache; without it the test fails, it is not skipped.
    private func virtualEnvironment() async throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"] ?? "/tmp"
        let cache = (environment["XDG_CACHE_HOME"] ?? home + "/.cache") + "/swiftlet-tests"
        let directory = cache + "/" + Self.grpcio
        let marker = directory + "/complete"
        if FileManager.default.fileExists(atPath: marker) { return directory }
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let made = try await run("/usr/bin/env", ["python3", "-m", "venv", directory])
        try #require(made.status == 0, "\(made.output)")
        let installed = try await run(directory + "/bin/python", ["-m", "pip", "install", "--quiet", Self.grpcio])
        try #require(installed.status == 0, "\(installed.output)")
        try Data().write(to: URL(filePath: marker))
        return directory
    }

    /// Runs a program to its end and returns its exit status and everything that it wrote.
    private func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let directory = try temporaryDirectory()
        let path = directory + "/output"
        try Data().write(to: URL(filePath: path))
        let output = try #require(FileHandle(forWritingAtPath: path))
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        let status = try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { waiter.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                waiter.resume(throwing: error)
            }
        }
        try output.close()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try FileManager.default.removeItem(atPath: directory)
        return (status, text)
    }
}
