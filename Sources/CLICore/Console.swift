import Foundation
import Glibc

/// Where a program writes and what it takes for now; tests put their own in its place.
package struct Console: Sendable {
    package var writeOut: @Sendable ([UInt8]) throws -> Void
    package var writeError: @Sendable ([UInt8]) throws -> Void
    /// Whether standard error is a terminal, so that progress may be drawn there.
    package var errorIsTerminal: Bool
    package var now: @Sendable () -> UnixNanoseconds
    /// Whether standard output is a terminal, so that it may be drawn on.
    package var outputIsTerminal: Bool
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
        self.size = size
        self.now = now
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

    /// Makes a write to a closed pipe an error instead of the program's end, so that what was begun is cleaned up.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    private static func write(_ bytes: [UInt8], to file: FileHandle) throws {
        do {
            try file.write(contentsOf: Data(bytes))
        } catch {
            // The reader is gone ("| head"): end as SIGPIPE would have ended us, without a word.
            if isBrokenPipe(error) { throw Failure.silent(exitStatus: 128 + SIGPIPE) }
            throw Failure("write output: \(error.localizedDescription)")
        }
    }

    private static func isBrokenPipe(_ error: any Error) -> Bool {
        let candidates = [error as NSError, (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError]
        return candidates.contains { $0?.domain == NSPOSIXErrorDomain && $0?.code == Int(EPIPE) }
    }
}
