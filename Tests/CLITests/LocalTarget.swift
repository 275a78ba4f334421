import Foundation
import Glibc
import Linux
import Model
import Streaming
import Synchronization

/// A target whose containers are this machine: commands run as they are, ports are those of 127.0.0.1.
final class LocalTarget: StreamTarget {
    private let state = Mutex<(sessions: [LocalSession], fault: Fault?)>(([], nil))
    /// What an attach joins.
    let attached: [String]

    init(attached: [String]) { self.attached = attached }

    /// The next calls fail with this.
    func fail(with fault: Fault?) { state.withLock { $0.fault = fault } }

    /// Ends what still runs.
    func end() async {
        for session in state.withLock({ $0.sessions }) { await session.abandon() }
    }

    func exec(_ request: ExecStream) async throws(Fault) -> any StreamSession {
        try start(request.command, request.streams)
    }

    func attach(_ request: AttachStream) async throws(Fault) -> any StreamSession {
        try start(attached, request.streams)
    }

    func connect(to pod: PodID, port: UInt16) async throws(Fault) -> FDHandover {
        let fd = OwnedFD(taking: socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = fd.withRaw { raw in
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        guard result == 0 else { throw Fault(.unavailable, "connect to port \(port)", cause: "connection refused") }
        do { try fd.setNonBlocking(true) } catch { throw Fault(.internal, "\(error)") }
        return FDHandover(fd)
    }

    private func start(_ command: [String], _ streams: StreamChoice) throws(Fault) -> LocalSession {
        if let fault = state.withLock({ $0.fault }) { throw fault }
        do {
            let session = try LocalSession(command, streams)
            state.withLock { $0.sessions.append(session) }
            return session
        } catch {
            throw Fault(.internal, "start \(command): \(error)")
        }
    }
}

/// A process of this machine.
final class LocalSession: StreamSession {
    let input: FDHandover?
    let output: FDHandover?
    let error: FDHandover?
    private let process: Process
    private let terminal: FDHandover?
    private let size: Mutex<OwnedFD?>
    private let ended: AsyncStream<Int32>

    init(_ command: [String], _ streams: StreamChoice) throws {
        let process = Process()
        self.process = process
        let code: AsyncStream<Int32>.Continuation
        (ended, code) = AsyncStream.makeStream()
        process.terminationHandler = { ended in
            let signalled = ended.terminationReason == .uncaughtSignal
            code.yield((signalled ? 128 : 0) + ended.terminationStatus)
            code.finish()
        }
        if streams.tty {
            let devpts = try OwnedFD.open("/dev/pts", [.directory])
            let pair = try Terminal(devpts: devpts)
            let master = try pair.master.duplicate()
            try master.setNonBlocking(true)
            process.inNewSession(command)
            process.standardInput = FileHandle(fileDescriptor: try pair.peer.duplicate().take(), closeOnDealloc: true)
            process.standardOutput = FileHandle(fileDescriptor: try pair.peer.duplicate().take(), closeOnDealloc: true)
            process.standardError = FileHandle(fileDescriptor: try pair.peer.duplicate().take(), closeOnDealloc: true)
            input = streams.stdin ? FDHandover(try master.duplicate()) : nil
            output = FDHandover(try master.duplicate())
            error = nil
            size = Mutex(try master.duplicate())
            terminal = FDHandover(try master.duplicate())
        } else {
            process.executableURL = URL(filePath: command[0])
            process.arguments = Array(command.dropFirst())
            var into = try Linux.Pipe()
            var out = try Linux.Pipe()
            var err = try Linux.Pipe()
            process.standardInput =
                streams.stdin
                ? FileHandle(fileDescriptor: into.takeReading().take(), closeOnDealloc: true) : FileHandle.nullDevice
            process.standardOutput = FileHandle(fileDescriptor: out.takeWriting().take(), closeOnDealloc: true)
            process.standardError = FileHandle(fileDescriptor: err.takeWriting().take(), closeOnDealloc: true)
            for fd in [
                try into.writing.duplicate().take(), try out.reading.duplicate().take(),
                try err.reading.duplicate().take(),
            ] {
                let fd = OwnedFD(taking: fd)
                try fd.setNonBlocking(true)
            }
            input = streams.stdin ? FDHandover(into.takeWriting()) : nil
            output = FDHandover(out.takeReading())
            error = streams.stderr ? FDHandover(err.takeReading()) : nil
            size = Mutex(nil)
            terminal = nil
        }
        try process.runWithoutMask()
        // The child has them now.
        for stream in [process.standardInput, process.standardOutput, process.standardError] {
            if let handle = stream as? FileHandle, handle !== FileHandle.nullDevice { try handle.close() }
        }
    }

    func inputEnded() async {}

    func resize(rows: UInt16, columns: UInt16) async {
        size.withLock { fd in
            guard let taken = fd.take() else { return }
            do { try taken.setTerminalSize(rows: rows, columns: columns) } catch { print("resize: \(error)") }
            fd = consume taken
        }
    }

    func exitCode() async throws(Fault) -> Int32 {
        for await code in ended { return code }
        return 255
    }

    func clientIsGone() {}

    func abandon() async { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}
