import Foundation
import Glibc
import Synchronization

/// Where a program writes and what it takes for now; tests put their own in its place.
package struct Console: Sendable {
    package var writeOut: @Sendable ([UInt8]) throws -> Void
    package var writeError: @Sendable ([UInt8]) throws -> Void
    /// Whether standard error is a terminal, so that progress may be drawn there.
    package var errorIsTerminal: Bool
    package var now: @Sendable () -> UnixNanoseconds
    /// Whether standard output is a terminal, so that it may be drawn on.
    package var outputIsTerminal: Bool
    /// Whether what is drawn there may have colours.
    package var hasColours: Bool
    /// Lines and columns of that terminal; nil without one.
    package var size: @Sendable () -> (rows: Int, columns: Int)?

    package init(
        writeOut: @escaping @Sendable ([UInt8]) throws -> Void,
        writeError: @escaping @Sendable ([UInt8]) throws -> Void,
        errorIsTerminal: Bool, outputIsTerminal: Bool = false,
        size: @escaping @Sendable () -> (rows: Int, columns: Int)? = { nil },
        now: @escaping @Sendable () -> UnixNanoseconds
    ) {
        self.writeOut = writeOut
        self.writeError = writeError
        self.errorIsTerminal = errorIsTerminal
        self.outputIsTerminal = outputIsTerminal
        hasColours = outputIsTerminal
        self.size = size
        self.now = now
    }

    /// This console with what the environment says of it: a terminal that knows no sequences (TERM=dumb, as in an editor) is
    /// written to like a file, and NO_COLOR (no-color.org) leaves out colours alone.
    package func adapted(to environment: [String: String]) -> Console {
        var console = self
        if environment["TERM"] == "dumb" {
            (console.outputIsTerminal, console.errorIsTerminal, console.hasColours) = (false, false, false)
        }
        if environment["NO_COLOR"]?.isEmpty == false { console.hasColours = false }
        return console
    }

    /// Writes text to standard output.
    package func out(_ text: String) throws { try writeOut(Array(text.utf8)) }

    /// Writes a line to standard output.
    package func line(_ text: String) throws { try writeOut(Array((text + "\n").utf8)) }

    /// Writes text to standard error.
    package func err(_ text: String) throws { try writeError(Array(text.utf8)) }
}

extension Console {
    /// The process's own standard streams.
    package static let standard = Console(
        writeOut: { try write($0, to: .standardOutput) }, writeError: { try write($0, to: .standardError) },
        errorIsTerminal: isatty(STDERR_FILENO) == 1, outputIsTerminal: isatty(STDOUT_FILENO) == 1,
        now: { UnixNanoseconds(exactly: (Date().timeIntervalSince1970 * 1e9).rounded()) ?? 0 })

    /// Gives standard streams that were closed (">&-") an end where nothing can be read or written: else the next thing that is
    /// opened, a socket of the runtime perhaps, would get the number and with it the output.
    package static func occupyClosedStreams() {
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            // The lowest number that is free is this stream's (open(2)), and it is never given back.
            let file =
                stream == STDIN_FILENO
                ? FileHandle(forWritingAtPath: "/dev/null") : FileHandle(forReadingAtPath: "/dev/null")
            if let file { occupants.withLock { $0.append(file) } }
        }
    }

    private static let occupants = Mutex<[FileHandle]>([])

    /// Makes a write to a closed pipe an error instead of the program's end, so that what was begun is cleaned up.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    private static func write(_ bytes: [UInt8], to file: FileHandle) throws {
        do {
            try file.write(contentsOf: Data(bytes))
        } catch {
            // The reader is gone ("| head"): end as SIGPIPE would have ended us, without a word.
            let code = posixCode(error)
            if code == EPIPE { throw Failure.silent(exitStatus: 128 + SIGPIPE) }
            throw Failure("write output: \(reason(code) ?? error.localizedDescription)")
        }
    }

    private static func posixCode(_ error: any Error) -> Int32? {
        let candidates = [error as NSError, (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError]
        return candidates.first { $0?.domain == NSPOSIXErrorDomain }?.map { Int32($0.code) }
    }

    /// What may befall any program's output (write(2)), in words.
    private static func reason(_ code: Int32?) -> String? {
        switch code {
        case ENOSPC, EDQUOT: "no space left on device"
        case EBADF: "the output is closed"
        case EIO: "input/output error"
        case EFBIG: "the file is too large"
        default: nil
        }
    }
}
