import Foundation

/// Python with grpcio: clients that nobody here wrote, on gRPC's C core.
package enum PythonGRPC {
    private static let grpcio = "grpcio==1.85.1"

    /// Runs a script with grpcio to its end, and returns its exit status and everything that it wrote.
    package static func run(_ script: String, _ arguments: String...) async throws -> (status: Int32, output: String) {
        try await start(try await virtualEnvironment() + "/bin/python", [script] + arguments)
    }

    /// A Python with grpcio, kept between runs in the user's cache; without it the test fails, it is not skipped.
    private static func virtualEnvironment() async throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"] ?? "/tmp"
        let cache = (environment["XDG_CACHE_HOME"] ?? home + "/.cache") + "/swiftlet-tests"
        let directory = cache + "/" + grpcio
        let marker = directory + "/complete"
        if FileManager.default.fileExists(atPath: marker) { return directory }
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        for (program, arguments) in [
            ("/usr/bin/env", ["python3", "-m", "venv", directory]),
            (directory + "/bin/python", ["-m", "pip", "install", "--quiet", grpcio]),
        ] {
            let made = try await start(program, arguments)
            guard made.status == 0 else { throw TestFailure("\(arguments): \(made.output)") }
        }
        try Data().write(to: URL(filePath: marker))
        return directory
    }

    private static func start(_ program: String, _ arguments: [String]) async throws -> (status: Int32, output: String)
    {
        let directory = try TemporaryRoot("python-grpc")
        let path = try directory.write("", to: "output")
        guard let output = FileHandle(forWritingAtPath: path) else { throw TestFailure("open \(path)") }
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
        return (status, try directory.text("output"))
    }
}
