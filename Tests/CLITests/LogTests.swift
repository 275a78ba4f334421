import CLICore
import CRIProto
import Foundation
import Synchronization
import Testing

@testable import swiftlet

@Suite struct LogTests {
    private static func line(_ second: Int, _ rest: String) -> String {
        "2026-11-23T02:10:\(second)Z \(rest)\n"
    }

    private static let log =
        line(10, "stdout F one") + line(11, "stderr F two") + line(12, "stdout P thr") + line(13, "stdout P e")
        + line(14, "stdout F e") + line(15, "stdout F ") + line(16, "stdout F:x four")

    struct Row: Sendable, CustomTestStringConvertible {
        var flags: [String]
        var out: String
        var err = ""
        var testDescription: String { flags.joined(separator: " ") }
    }

    @Test(
        "flags choose what is shown",
        arguments: [
            Row(flags: [], out: "one\nthree\n\nfour\n", err: "two\n"),
            Row(flags: ["--tail", "0"], out: ""), Row(flags: ["--tail", "1"], out: "four\n"),
            Row(flags: ["--tail", "3"], out: "three\n\nfour\n"),
            Row(flags: ["--tail", "4"], out: "three\n\nfour\n", err: "two\n"),
            Row(flags: ["--tail", "100"], out: "one\nthree\n\nfour\n", err: "two\n"),
            Row(flags: ["--tail", "-1"], out: "one\nthree\n\nfour\n", err: "two\n"),
            Row(flags: ["--tail=-1"], out: "one\nthree\n\nfour\n", err: "two\n"),
            Row(flags: ["--since", "2026-11-23T02:10:15Z"], out: "\nfour\n"),
            // The console's clock stands at 02:10:29.
            Row(flags: ["--since", "14s"], out: "\nfour\n"),
            Row(flags: ["--stream", "stderr"], out: "", err: "two\n"),
            Row(flags: ["--limit-bytes", "7"], out: "one\n", err: "two"),
            Row(
                flags: ["-t", "--stream", "stdout"],
                out:
                    "2026-11-23T02:10:10Z one\n2026-11-23T02:10:12Z three\n2026-11-23T02:10:15Z \n2026-11-23T02:10:16Z four\n"
            ),
        ])
    func flags(row: Row) async throws {
        try await FakeRuntime.with { runtime in
            let path = try runtime.scratch.write("a.log", Self.log)
            runtime.addContainer("a", in: runtime.addPod("p"), logPath: path)
            let result = await runtime.swiftlet(["logs"] + row.flags + ["0002"])
            #expect(result == (0, row.out, row.err))
        }
    }

    @Test(
        "the last lines are found in a file of many blocks, whatever its end", arguments: [1, 2, 500, 4000],
        ["", "2026-11-23T02:10:16Z stdout P unfin"])
    func tailOfLongFile(count: Int, end: String) async throws {
        let scratch = try ScratchDirectory()
        let lines = (0..<4000).map { "2026-11-23T02:10:10Z stdout F \($0) " + String(repeating: "x", count: $0 % 90) }
        let path = try scratch.write("a.log", lines.joined(separator: "\n") + "\n" + end)
        var file = try LogFile(path)
        try file.seekToLast(count)
        var seen: [String] = []
        _ = try file.read { seen += $0.map { String(decoding: $0, as: UTF8.self) } }
        #expect(seen == Array(lines.suffix(end.isEmpty ? count : count - 1)))
    }

    @Test("following goes over a rotation and a truncation without losing a line")
    func rotation() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("a.log", "1\n2\npart")
        var file = try LogFile(path)
        var seen: [String] = []
        func read() throws { _ = try file.read { seen += $0.map { String(decoding: $0, as: UTF8.self) } } }
        try read()
        let old = try FileHandle(forWritingTo: URL(filePath: path))
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        try old.seekToEnd()
        try old.write(contentsOf: Data("ial\n3\n".utf8))
        try read()
        #expect(seen == ["1", "2", "partial", "3"])
        _ = try scratch.write("a.log", "4\n")
        try old.write(contentsOf: Data("late\n".utf8))
        try read()
        #expect(seen == ["1", "2", "partial", "3", "late", "4"])
        let new = try FileHandle(forWritingTo: URL(filePath: path))
        try new.truncate(atOffset: 0)
        try read()
        try new.write(contentsOf: Data("5\n".utf8))
        try read()
        #expect(seen.last == "5")
    }

    @Test("following shows what comes and ends with the container")
    func follow() async throws {
        try await FakeRuntime.with { runtime in
            let path = try runtime.scratch.write("a.log", Self.line(10, "stdout F first"))
            let id = runtime.addContainer("a", in: runtime.addPod("p"), logPath: path)
            let captured = CapturedConsole()
            async let status = Program.run(
                ["-r", runtime.endpoint, "logs", "-f", "0002"], environment: [:], console: captured.console)
            await captured.waitFor(out: "first\n")
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(Self.line(11, "stdout F second").utf8))
            await captured.waitFor(out: "first\nsecond\n")
            try handle.write(contentsOf: Data(Self.line(12, "stdout F last").utf8))
            runtime.world.state.withLock { $0.end(id, with: 0) }
            #expect(await status == 0)
            #expect(captured.out == "first\nsecond\nlast\n")
        }
    }

    @Test("following goes on over a restart of the runtime")
    func followOverRestart() async throws {
        try await FakeRuntime.with { runtime in
            let path = try runtime.scratch.write("a.log", Self.line(10, "stdout F first"))
            let id = runtime.addContainer("a", in: runtime.addPod("p"), logPath: path)
            let captured = CapturedConsole()
            async let status = Program.run(
                ["-r", runtime.endpoint, "logs", "-f", "0002"], environment: [:], console: captured.console)
            await captured.waitFor(out: "first\n")
            try await runtime.restart()
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(Self.line(11, "stdout F second").utf8))
            runtime.world.state.withLock { $0.end(id, with: 0) }
            #expect(await status == 0)
            #expect(captured.out == "first\nsecond\n")
        }
    }

    @Test("--previous shows the attempt before, --reopen asks the runtime")
    func previousAndReopen() async throws {
        try await FakeRuntime.with { runtime in
            let pod = runtime.addPod("p")
            let old = try runtime.scratch.write("0.log", Self.line(10, "stdout F old"))
            runtime.addContainer("a", in: pod, .containerExited, attempt: 0, logPath: old)
            runtime.addContainer("a", in: pod, attempt: 1, logPath: "/nonexistent/1.log")
            #expect((await runtime.swiftlet("logs", "-p", "0003")).out == "old\n")
            #expect((await runtime.swiftlet("logs", "-p", "0002")).err.contains("no previous attempt"))
            #expect((await runtime.swiftlet("logs", "-r", "0003")).status == 0)
            #expect(runtime.calls.last == "ReopenContainerLog")
            let missing = await runtime.swiftlet("logs", "0003")
            #expect(missing.status == 1)
            #expect(missing.err.contains("/nonexistent/1.log"))
        }
    }

    @Test(
        "what is not a record is not read as one",
        arguments: ["", "x", "2026 stdin F x", "2026 stdout", "2026 stdout X y", "2026 stdout  y"])
    func notRecords(text: String) { #expect(LogRecord(Array(text.utf8)[...]) == nil) }
}
