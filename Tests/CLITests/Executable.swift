import CLICore
import Foundation
import Glibc
import Synchronization

/// The program `swiftlet` as a process, beside the tests' own executable.
final class Executable: Sendable {
    private struct State {
        var out: [UInt8] = []
        var error: [UInt8] = []
        var isOutputOver = false
        var isErrorOver = false
        var status: Int32?
    }

    private let process: Process
    private let state = Mutex(State())
    private let changes: AsyncStream<Void>

    static func start(
        _ arguments: [String], closesOutput: Bool = false, input: FileHandle = .nullDevice, program: String? = nil
    ) throws -> Executable {
        try Executable(arguments, closesOutput: closesOutput, input: input, program: program)
    }

    private init(_ arguments: [String], closesOutput: Bool, input: FileHandle, program: String?) throws {
        let change: AsyncStream<Void>.Continuation
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let process = Process()
        process.executableURL = try program.map { URL(filePath: $0) } ?? Self.program()
        process.arguments = arguments
        process.standardInput = input
        let errors = Pipe()
        process.standardError = errors
        let output: Pipe? = closesOutput ? nil : Pipe()
        process.standardOutput = try output ?? Self.pipeWithoutReader()
        self.process = process
        process.terminationHandler = { [weak self] ended in
            guard let self else { return }
            state.withLock { $0.status = ended.terminationStatus }
            change.yield()
            // A program that was started in the same moment may have got the pipes' ends, and keep them.
            Thread.detachNewThread { [weak self] in
                sleep(5)
                self?.state.withLock { ($0.isOutputOver, $0.isErrorOver) = (true, true) }
                change.yield()
            }
        }
        try process.runWithoutMask()
        Self.readToEnd(errors.fileHandleForReading) { [weak self] bytes in
            self?.state.withLock { state in
                state.error += bytes
                if bytes.isEmpty { state.isErrorOver = true }
            }
            change.yield()
        }
        guard let output else {
            state.withLock { $0.isOutputOver = true }
            return
        }
        Self.readToEnd(output.fileHandleForReading) { [weak self] bytes in
            self?.state.withLock { state in
                state.out += bytes
                if bytes.isEmpty { state.isOutputOver = true }
            }
            change.yield()
        }
    }

    /// Its reader has gone before the program starts: what that writes while there is one would not tell it.
    private static func pipeWithoutReader() throws -> FileHandle {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure("pipe: \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        close(ends[0])
        return FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    }

    /// Hands on what comes, and nothing at the end, from a thread of its own. A readability handler will not do: a descriptor that is
    /// closed while libdispatch waits for it crashes the process.
    static func readToEnd(_ handle: FileHandle, _ body: @escaping @Sendable (ArraySlice<UInt8>) -> Void) {
        Thread.detachNewThread {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            var count: Int
            repeat {
                // EIO is how a terminal ends.
                count = max(0, Glibc.read(handle.fileDescriptor, &bytes, bytes.count))
                body(bytes[..<count])
            } while count > 0
        }
    }

    /// The program itself.
    static func program() throws -> URL { try buildDirectory().appending(path: "swiftlet") }

    /// The directory with the products of the build that these tests belong to.
    private static func buildDirectory() throws -> URL {
        var directory = Bundle.main.bundleURL
        for candidate in [directory, directory.deletingLastPathComponent()]
            + CommandLine.arguments.map({ URL(filePath: $0) })
        {
            directory = candidate
            for _ in 0..<4 {
                if FileManager.default.isExecutableFile(atPath: directory.appending(path: "swiftlet").path) {
                    return directory
                }
                directory = directory.deletingLastPathComponent()
            }
        }
        throw Failure("the tests do not find the program \"swiftlet\" beside them")
    }

    var error: String { state.withLock { String(decoding: $0.error, as: UTF8.self) } }

    var out: String { state.withLock { String(decoding: $0.out, as: UTF8.self) } }

    func waitForOutput(_ text: String) async throws { try await waitForOutput { $0 == text } }

    func waitForOutput(_ isEnough: (String) -> Bool) async throws { try await wait { isEnough($0.out) } }

    /// Waits until standard error has this.
    func waitForError(_ text: String) async throws { try await wait { $0.error.contains(text) } }

    private func wait(until isEnough: (Executable) -> Bool) async throws {
        if isEnough(self) { return }
        for await _ in changes {
            if isEnough(self) { return }
            let isOver = state.withLock { $0.status != nil && $0.isOutputOver && $0.isErrorOver }
            if isOver { throw Failure("the program ended early: \(error)") }
        }
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end and for all that it wrote.
    func exitStatus() async throws -> Int32 {
        let status = { self.state.withLock { $0.isOutputOver && $0.isErrorOver ? $0.status : nil } }
        if let status = status() { return status }
        for await _ in changes { if let status = status() { return status } }
        throw CancellationError()
    }

    func end() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}
