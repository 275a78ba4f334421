import Foundation
import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    @Suite struct LogTests {
        struct Row: CustomTestStringConvertible {
            var testDescription: String
            var script: String
            /// `stream tag length-or-content`.
            var expected: [String]
        }

        static let rows: [Row] = [
            Row(
                testDescription: "lines of both streams", script: "echo out; echo err >&2",
                expected: ["stdout F out", "stderr F err"]),
            Row(testDescription: "an empty line", script: "echo; echo x", expected: ["stdout F ", "stdout F x"]),
            Row(testDescription: "no newline at the end", script: "printf abc", expected: ["stdout P abc"]),
            Row(
                testDescription: "carriage returns", script: "printf 'a\\r\\nb\\rc\\n\\r\\n'",
                expected: ["stdout F a", "stdout F b\rc", "stdout F "]),
            Row(
                testDescription: "16 KiB exactly", script: "head -c 16384 /dev/zero | tr '\\0' x; echo",
                expected: ["stdout F 16384"]),
            Row(
                testDescription: "16 KiB and one", script: "head -c 16385 /dev/zero | tr '\\0' x; echo",
                expected: ["stdout P 16384", "stdout F 1"]),
            Row(
                testDescription: "16 KiB and a carriage return",
                script: "head -c 16384 /dev/zero | tr '\\0' x; printf '\\r\\n'",
                expected: ["stdout F 16384"]),
            Row(
                testDescription: "40,000 bytes without a newline", script: "head -c 40000 /dev/zero | tr '\\0' x",
                expected: ["stdout P 16384", "stdout P 16384", "stdout P 7232"]),
            Row(
                testDescription: "NUL and half a character", script: "printf 'a\\0b\\303\\n'",
                expected: ["stdout F a\0b\u{fffd}"]),
            Row(testDescription: "nothing", script: "true", expected: []),
            Row(
                testDescription: "a child that outlives its parent by a moment",
                script: "(usleep 20000; echo late) & echo early; wait",
                expected: ["stdout F early", "stdout F late"]),
        ]

        @Test(arguments: rows) func theLogIsInTheFormatOfTheCRI(_ row: Row) async throws {
            try await withPod { pod in
                let outcome = try await pod.shell(row.script)
                #expect(outcome.record.exitCode == 0)
                let found = outcome.log.map { record in
                    let content =
                        record.content.count > 100
                            || record.content.allSatisfy { $0 == 0x78 } && !record.content.isEmpty
                        ? "\(record.content.count)" : text(record.content)
                    return "\(record.stream) \(record.isPartial ? "P" : "F") \(content)"
                }
                let expected = row.expected.map { $0 == "stdout F x" ? "stdout F 1" : $0 }
                // Between the streams no order is promised.
                #expect(found.filter { $0.hasPrefix("stdout") } == expected.filter { $0.hasPrefix("stdout") })
                #expect(found.filter { $0.hasPrefix("stderr") } == expected.filter { $0.hasPrefix("stderr") })
            }
        }

        @Test func timesNeverRunBackwards() async throws {
            try await withPod { pod in
                let outcome = try await pod.shell("for i in $(seq 200); do echo $i; done")
                #expect(outcome.log.map(\.time) == outcome.log.map(\.time).sorted())
            }
        }

        @Test func aLineThatComesInPiecesIsOneRecord() async throws {
            try await withPod { pod in
                let outcome = try await pod.shell("for i in 1 2 3 4 5; do printf $i; usleep 2000; done; echo")
                #expect(outcome.log.map(\.content) == [bytes("12345")])
            }
        }

        @Test func withoutALogTheOutputIsReadAndDropped() async throws {
            try await withPod { pod in
                var plan = try pod.container("c", ["/bin/sh", "-c", "head -c 1000000 /dev/zero; exit 5"])
                plan.streams = .logged(log: nil, stdin: false)
                _ = try await pod.client.launch(plan.plan(), process: bytes("c"), cgroup: pod.cgroupDescriptor("c"))
                #expect(try await pod.client.exit(of: bytes("c"), within: .seconds(30))?.exitCode == 5)
            }
        }

        @Test func reopeningUnderLoadLosesDoublesAndTearsNothing() async throws {
            try await withPod { pod in
                let last = 1_000_000
                let plan = try pod.container("c", ["/bin/seq", "1", "\(last)"])
                async let started: LaunchedProcess = pod.start("c", plan)
                _ = try await started
                var names = ["c"]
                for index in 1...200 {
                    let name = "c.\(index)"
                    do {
                        try await pod.client.reopenLog(of: bytes("c"), to: pod.openLog(name))
                        names.append(name)
                    } catch let error as SupervisorError {
                        // It ended before all rotations were done.
                        guard case .refused = error else { throw error }
                    }
                }
                #expect(try await pod.finish("c").record.exitCode == 0)
                var next = 1
                for name in names {
                    for record in try pod.records(name) {
                        #expect(!record.isPartial)
                        guard Int(text(record.content)) == next else {
                            Issue.record("\(name): \(text(record.content)) instead of \(next)")
                            return
                        }
                        next += 1
                    }
                }
                #expect(next == last + 1)
            }
        }

        /// A log that can wait: nobody reads its FIFO, and still the container and the supervisor go on.
        @Test func aLogThatNobodyReadsHoldsNobodyUp() async throws {
            try await withPod { pod in
                try #require(mkfifo(pod.files.path("logs/fifo"), 0o600) == 0)
                // Both ends, so that it can be opened; what it holds is never read before the end.
                let reader = try OwnedFD.open(Path(pod.files.path("logs/fifo")), [.readOnly, .nonBlocking])
                var slots = DescriptorTable()
                slots.append(try OwnedFD.open(Path(pod.files.path("logs/fifo")), [.writeOnly, .append, .nonBlocking]))
                let plan = try pod.container("c", ["/bin/seq", "1", "300000"])
                _ = try await pod.client.launch(
                    plan.plan(), process: bytes("c"), cgroup: pod.cgroupDescriptor("c"), slots: slots)
                #expect(try await pod.client.exit(of: bytes("c"), within: .seconds(60))?.exitCode == 0)
                // Whole lines but for the last: the supervisor was not stopped by it, and has given it up.
                let dropped = try await pod.client.snapshot().first?.state.logLinesDropped ?? 0
                let held = try reader.read(max: 1 << 20)
                let records = try LogRecord.parse(held.prefix(through: held.lastIndex(of: 0x0a) ?? 0).map { $0 })
                #expect(records.map { text($0.content) } == (1...records.count).map(String.init))
                #expect(records.count + Int(dropped) >= 299_999 && dropped > 0)
            }
        }

        @Test func aLogOverItsRateLosesLinesAndSaysHowMany() async throws {
            try await withPod { pod in
                let last = 100_000
                var plan = try pod.container("c", ["/bin/seq", "1", "\(last)"])
                plan.streams = .logged(log: 0, stdin: false, limits: LogLimits(bytesPerSecond: 20_000))
                try await pod.start("c", plan)
                let outcome = try await pod.finish("c")
                #expect(outcome.record.exitCode == 0)
                let markers = outcome.log.filter { $0.stream == "stderr" }.map { text($0.content) }
                let lost = markers.compactMap { marker -> Int? in
                    guard marker.hasSuffix(" log records were over the limit of bytes per second") else { return nil }
                    return Int(marker.split(separator: " ")[1])
                }
                #expect(!lost.isEmpty && lost.count == markers.count)
                let lines = outcome.log.filter { $0.stream == "stdout" }.compactMap { Int(text($0.content)) }
                #expect(lines == lines.sorted() && lines.count + lost.reduce(0, +) == last)
            }
        }

        @Test func reopeningTheLogOfAnUnknownContainerIsRefused() async throws {
            try await withPod { pod in
                do {
                    try await pod.client.reopenLog(of: bytes("no"), to: pod.openLog("no"))
                    Issue.record("reopened")
                } catch let error as SupervisorError {
                    #expect(error == .refused(operation: "reopen the log", errno: .noEntry, detail: "no"))
                }
            }
        }

        @Test func aFullDiskNeverBlocksAContainerAndTheGapIsMarked() async throws {
            let namespace = try await MountNamespace()
            try await withNewPod { pod in
                try pod.files.directory("small")
                try await namespace.mountTmpfs(at: pod.files.path("small"), file: "filler", size: "256k")
                try await pod.spawn(in: namespace)
                let log = try await namespace.run {
                    SharedDescriptor(
                        try OwnedFD.open(
                            Path(pod.files.path("small/log")), [.readWrite, .create, .append], mode: 0o640))
                }
                let reader = try await namespace.run {
                    SharedDescriptor(try OwnedFD.open(Path(pod.files.path("small/log")), .readOnly))
                }
                // Stdin stays open: the second part begins when it is closed.
                var plan = try pod.container("c", ["/bin/sh", "-c", "seq 1 100000; echo full >&2; cat; echo after"])
                plan.streams = .logged(log: 0, stdin: true)
                var slots = DescriptorTable()
                slots.append(try log.fd.duplicate())
                _ = try await pod.client.launch(
                    plan.plan(), process: bytes("c"), cgroup: pod.cgroupDescriptor("c"), slots: slots)
                // Everything was written or dropped: the container has come to wait for its stdin.
                _ = try await eventually("the end of the flood") { () -> Bool? in
                    let dropped = try await pod.client.snapshot().first?.state.logLinesDropped ?? 0
                    let written = try await namespace.run {
                        try reader.fd.read(max: 1 << 20, at: 0).count { $0 == 0x0a }
                    }
                    return dropped > 50_000 && Int(dropped) + written >= 100_000 ? true : nil
                }
                // Space again.
                try await namespace.run { try log.fd.truncate(to: 0) }
                try await pod.client.closeStdin(of: bytes("c"))
                #expect(try await pod.client.exit(of: bytes("c"), within: .seconds(30))?.exitCode == 0)
                let tail = try await namespace.run { try reader.fd.read(max: 1 << 20, at: 0) }
                let lines = text(tail).split(separator: "\n").map(String.init)
                #expect(lines.contains { $0.contains("log records could not be written") })
                #expect(lines.last?.hasSuffix("stdout F after") == true)
                #expect(lines.filter { $0.hasSuffix("stdout F after") }.count == 1, "\(lines.prefix(5))")
            }
        }

        @Test func aTerminalIsOneStreamWithoutCarriageReturns() async throws {
            try await withPod { pod in
                let outcome = try await pod.run { plan in
                    plan.arguments = ["/bin/sh", "-c", "tty; stty size; echo err >&2; ls -l /dev/console | cut -c1"]
                    plan.streams = .loggedTerminal(log: 0)
                    plan.terminal = (30, 100)
                }
                #expect(outcome.log.allSatisfy { $0.stream == "stdout" })
                #expect(outcome.stdout == "/dev/pts/0\n30 100\nerr\nc\n")
                #expect(outcome.record.exitCode == 0)
            }
        }

        @Test func aTerminalCanBeResized() async throws {
            try await withPod { pod in
                var plan = try pod.container(
                    "c", ["/bin/sh", "-c", "trap 'stty size; exit 4' WINCH; echo ready; while :; do usleep 1000; done"])
                plan.streams = .loggedTerminal(log: 0)
                plan.terminal = (24, 80)
                try await pod.start("c", plan)
                _ = try await eventually("ready") { try pod.records("c").isEmpty ? nil : true }
                try await pod.client.resizeTerminal(of: bytes("c"), rows: 50, columns: 132)
                let outcome = try await pod.finish("c")
                #expect(outcome.record.exitCode == 4 && outcome.stdout == "ready\n50 132\n")
            }
        }

        @Test func standardInputStaysOpenUntilItIsClosed() async throws {
            try await withPod { pod in
                var plan = try pod.container("c", ["/bin/sh", "-c", "cat; exit 6"])
                plan.streams = .logged(log: 0, stdin: true)
                try await pod.start("c", plan)
                #expect(try await pod.client.exit(of: bytes("c"), within: .milliseconds(50)) == nil)
                try await pod.client.closeStdin(of: bytes("c"))
                #expect(try await pod.finish("c").record.exitCode == 6)
            }
        }
    }
}
