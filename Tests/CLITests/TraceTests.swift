import CLICore
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization
import Testing

@testable import swiftlet

@Suite struct TraceTests {
    private static let hostile = "</title><script>alert('\"&\u{1b}[31m"

    private static func operations() -> [Swiftlet_V1_Operation] {
        [
            .with {
                $0.name = "RunPodSandbox"
                $0.podID = "aaaa"
                ($0.podNamespace, $0.podName) = ("default", "web")
                $0.startedAt = CapturedConsole.now - 5_000_000_000
                $0.duration = 10_000_000
                $0.stages = [
                    .with { ($0.name, $0.start, $0.duration, $0.parent) = ("record", 0, 2_000_000, -1) },
                    .with { ($0.name, $0.start, $0.duration, $0.parent) = ("network", 2_000_000, 8_000_000, -1) },
                    .with {
                        ($0.name, $0.start, $0.duration, $0.parent) = ("plugin", 4_000_000, 4_000_000, 1)
                        $0.detail = hostile
                    },
                ]
            },
            .with {
                $0.name = "StartContainer"
                ($0.podID, $0.containerID) = ("bbbb", "cccc")
                ($0.podNamespace, $0.podName, $0.containerName) = ("default", hostile, "main")
                $0.startedAt = CapturedConsole.now - 2_000_000_000
                $0.duration = 1_000_001
                $0.error = "no command " + hostile
                // A parent that is no stage before it, as no honest daemon sends it.
                $0.stages = [.with { ($0.name, $0.start, $0.duration, $0.parent) = ("plan", -5, .max, 7) }]
            },
        ]
    }

    private func with(_ body: @Sendable @escaping (FakeRuntime) async throws -> Void) async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock { $0.operations = Self.operations() }
            try await body(runtime)
        }
    }

    @Test func `the last operations are a table`() async throws {
        try await with { runtime in
            let lines = await runtime.swiftlet("trace").out.split(separator: "\n")
            #expect(lines.count == 3)
            #expect(lines[0].hasPrefix("AGE"))
            #expect(lines[1].hasPrefix("5 seconds ago   RunPodSandbox    aaaa web"))
            #expect(lines[1].contains("10   network 8"))
            #expect(lines[2].contains("cccc main") && lines[2].contains("no command"))
            #expect(!lines[2].contains("\u{1b}"))
        }
    }

    @Test func `an operation is bars on one scale, with parts of parts indented`() async throws {
        try await with { runtime in
            let shown = await runtime.swiftlet("trace", "aa")
            let bar = { (count: Int) in String(repeating: "█", count: count) }
            let gap = { (count: Int) in String(repeating: " ", count: count) }
            let lines = shown.out.split(separator: "\n").map(String.init)
            #expect(shown.status == 0 && lines.count == 4)
            #expect(lines[0] == "RunPodSandbox default/web: 10 ms, 2026-11-23T02:10:24Z")
            #expect(lines[1] == "  record" + gap(18) + "        2 ms  " + bar(12))
            #expect(lines[2] == "  network" + gap(17) + "        8 ms  " + gap(12) + bar(48))
            #expect(lines[3].hasPrefix("    plugin </title><scrip…        4 ms  " + gap(24) + bar(24)))
            #expect(await runtime.swiftlet("trace", "--last").out == shown.out)
        }
    }

    @Test func `a part that failed says so, and a wide terminal has room for what it was about`() {
        let operation = Swiftlet_V1_Operation.with {
            $0.duration = 10_000_000
            $0.stages = [
                .with {
                    ($0.name, $0.duration, $0.parent, $0.failed) = ("plugin", 4_000_000, -1, true)
                    $0.detail = "some-rather-long-name ADD"
                }
            ]
        }
        let lines = { (columns: Int) in
            OperationChart(columns: columns, colours: true).text([operation]).split(separator: "\n").map(String.init)
        }
        #expect(lines(100)[1].hasPrefix("  plugin failed: some-rat…        4 ms  \u{1b}[31m█"))
        #expect(lines(120)[1].hasPrefix("  plugin failed: some-rather-long-name ADD  "))
    }

    @Test(arguments: [17, 20, 30, 60, 100, 500])
    func `the lines of parts fit terminals of any width`(columns: Int) {
        let text = OperationChart(columns: columns, colours: false).text(Array(Self.operations().prefix(1)))
        let parts = text.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("  failed") }
        #expect(parts.count == 3)
        #expect(parts.allSatisfy { $0.count <= columns }, "\(text)")
        #expect(text.contains("█") == (columns >= 30))
    }

    @Test func `JSON and Chrome's trace events are well-formed`() async throws {
        try await with { runtime in
            let tree = try JSONParser.parse(await runtime.swiftlet("trace", "-o", "json").out.utf8)
            #expect(tree["operations"] != nil)
            let chrome = try JSONParser.parse(await runtime.swiftlet("trace", "-o", "chrome").out.utf8)
            guard case .array(let events)? = chrome["traceEvents"] else { throw Failure("no events") }
            #expect(events.filter { $0["ph"]?.text == "M" }.count == 4)
            let complete = events.filter { $0["ph"]?.text == "X" }
            #expect(complete.count == 6)
            #expect(complete.allSatisfy { $0["ts"] != nil && $0["dur"] != nil && $0["pid"] != nil && $0["tid"] != nil })
            let start = try #require(complete.first { $0["name"]?.text == "StartContainer" })
            #expect(start["dur"] == .number("1000.001"))
        }
    }

    @Test(arguments: ["svg", "html"]) func `no name or error gets markup into a picture`(format: String) async throws {
        try await with { runtime in
            let picture = await runtime.swiftlet("trace", "-o", format)
            #expect(picture.status == 0 && picture.out.contains("<svg xmlns="))
            #expect(!picture.out.contains("<script") && !picture.out.contains("\u{1b}"))
            #expect(picture.out.contains("&lt;/title&gt;&lt;script&gt;alert(&#39;&quot;&amp;?[31m"))
            let count = { (text: String) in picture.out.components(separatedBy: text).count - 1 }
            #expect(count("<text") == count("</text>") && count("<g>") == count("</g>"))
            // Each part, and each operation beside the other.
            #expect(count("<g>") == 4 + 2)
        }
    }

    @Test(arguments: [1, 7, 13, 999, 1_000_001, 127_910_000, .max] as [Int64])
    func `a picture's scale has round times, few and within it`(whole: Int64) {
        let ticks = Timeline.ticks(whole)
        #expect((1...7).contains(ticks.count) && ticks[0] == 0 && ticks.allSatisfy { $0 <= whole })
        #expect(whole < 2 || ticks.count >= 3)
        let digits = String(ticks.last.map { $0 / Int64(max(1, ticks.count - 1)) } ?? 0)
        #expect("125".contains(digits.prefix(1)) && digits.dropFirst().allSatisfy { $0 == "0" })
    }

    @Test func `nothing kept, and a runtime that is not Swiftlet, are said in a sentence`() async throws {
        try await FakeRuntime.with { runtime in
            let nothing = await runtime.swiftlet("trace")
            #expect(nothing.status == 1 && nothing.err.contains("the daemon keeps no operation"))
            runtime.world.state.withLock {
                $0.failures["ListOperations"] = GRPCStatus(code: .unimplemented, message: "unknown service")
            }
            let other = await runtime.swiftlet("trace", "aa")
            #expect(other.status == 1 && other.err.contains("it is not Swiftlet"))
        }
    }
}
