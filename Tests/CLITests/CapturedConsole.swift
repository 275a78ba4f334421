import CLICore
import Foundation
import Synchronization

/// A console that keeps what is written to it; its clock stands still.
final class CapturedConsole: Sendable {
    /// 2026-11-23T02:10:29Z
    static let now: UnixNanoseconds = 1_795_399_829_000_000_000

    private let state = Mutex<(out: [UInt8], err: [UInt8])>(([], []))
    private let isTerminal: Bool
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init(isTerminal: Bool = false) {
        self.isTerminal = isTerminal
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Waits until exactly this was written to standard output.
    func waitFor(out text: String) async {
        if out == text { return }
        for await _ in changes where out == text { return }
    }

    var out: String { state.withLock { String(decoding: $0.out, as: UTF8.self) } }
    var err: String { state.withLock { String(decoding: $0.err, as: UTF8.self) } }

    var console: Console {
        Console(
            writeOut: { bytes in
                self.state.withLock { $0.out += bytes }
                self.change.yield()
            },
            writeError: { bytes in self.state.withLock { $0.err += bytes } },
            errorIsTerminal: isTerminal, outputIsTerminal: isTerminal, now: { Self.now })
    }
}

/// A directory that goes with the test.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appending(path: "swiftlet-cli-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { do { try FileManager.default.removeItem(atPath: path) } catch { return } }

    func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }
}
