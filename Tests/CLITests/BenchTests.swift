import ArgumentParser
import CLICore
import CRIProto
import Foundation
import GRPC
import Synchronization
import Testing

@testable import swiftlet_bench

@Suite struct BenchTests {
    private static let quick = [
        "--iterations", "4", "--containers", "3", "--calls", "20", "--pods", "5", "--sleep", "stay",
    ]

    private func measure(_ runtime: FakeRuntime, _ flags: [String], interruption: Interruption = .init()) async throws
        -> String
    {
        let captured = CapturedConsole()
        let command = try BenchCommand.parse(["--endpoint", runtime.endpoint] + Self.quick + flags)
        try await command.measure(interruption, console: captured.console)
        return captured.out
    }

    @Test("a run measures every call, removes all that it made, and writes both reports")
    func wholeRun() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addPod("not-ours")
            runtime.world.state.withLock { $0.info = ["cniMilliseconds": "0.001"] }
            let json = runtime.scratch.path + "/report.json"
            let text = try await measure(
                runtime,
                [
                    "--json", json, "--peer-endpoint", runtime.endpoint, "--pull", "docker.io/library/a:1", "--pulls",
                    "2",
                ])
            let report = try JSONParser.parse(Data(contentsOf: URL(filePath: json)))
            guard case .array(let results) = report["subject"]?["results"] else { throw Failure("no results") }
            let counts = Dictionary(
                uniqueKeysWithValues: results.compactMap { result in
                    result["name"]?.text.map { ($0, result["count"]) }
                })
            for name in [
                "RunPodSandbox", "RunPodSandbox without plugins", "CreateContainer", "StartContainer", "ExecSync",
                "StopContainer",
                "RemoveContainer", "StopPodSandbox", "RemovePodSandbox",
            ] {
                #expect(counts[name] == .number(4), "\(name)")
                #expect(text.contains(name))
            }
            for name in ["ListContainers of 3", "ListPodSandbox", "ContainerStatus", "Status", "Version"] {
                #expect(counts[name] == .number(20), "\(name)")
            }
            for name in ["Version, 1 caller", "Version, 10 callers", "5 pods up, 10 at a time", "PullImage"] {
                #expect(counts[name] != nil, "\(name)")
            }
            #expect(report["peer"]?["name"] == "fake 1.2.3")
            #expect(text.contains("PEER/OURS"))
            let left = runtime.world.state.withLock { $0.pods.values.map(\.status.metadata.name) }
            #expect(left == ["not-ours"])
            let again = try await measure(runtime, ["--baseline", json])
            #expect(again.contains("BASELINE/OURS"))
        }
    }

    @Test(
        "a failure in the middle is said, and nothing is left",
        arguments: ["StartContainer", "ExecSync", "RemoveContainer"])
    func failure(call: String) async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock { $0.failures[call] = GRPCStatus(code: .internal, message: "out of luck") }
            let failure = await #expect(throws: Failure.self) { try await measure(runtime, []) }
            #expect(failure?.message == "fake \(call): out of luck")
            #expect(runtime.world.state.withLock { $0.pods.isEmpty })
        }
    }

    @Test("an interrupted run removes what it made")
    func interrupted() async throws {
        try await FakeRuntime.with { runtime in
            let interruption = Interruption()
            runtime.world.state.withLock { state in
                state.onCall = { name in if name == "StartContainer" { interruption.request(SIGTERM) } }
            }
            let failure = await #expect(throws: Failure.self) {
                try await measure(runtime, [], interruption: interruption)
            }
            #expect(failure?.exitStatus == 143)
            #expect(!runtime.calls.contains("ExecSync"))
            #expect(runtime.world.state.withLock { $0.pods.isEmpty })
        }
    }

    @Test("percentiles are values that were measured, by nearest rank")
    func percentiles() {
        let samples = Samples("x", values: (1...100).map(Double.init).shuffled())
        #expect(samples.median == 50)
        #expect(samples.percentile(0.99) == 99)
        #expect(samples.percentile(0) == 1)
        #expect(samples.percentile(1) == 100)
        #expect(Samples("x", values: [7]).percentile(0.99) == 7)
        #expect(Samples("x").median == nil)
    }

    @Test("the time of plugins is the union of their runs, for the sandbox and the command asked for")
    func pluginLog() {
        let log = """
            a ADD bridge 1000000 9000000
            a ADD host-local 2000000 3000000
            a ADD portmap 10000000 12000000
            b ADD bridge 0 99000000
            a DEL bridge 0 5000000
            a ADD broken x y
            a ADD backwards 5 1
            """
        #expect(PluginTime.milliseconds(inLog: log, sandbox: "a", command: "ADD") == 10)
        #expect(PluginTime.milliseconds(inLog: log, sandbox: "a", command: "DEL") == 5)
        #expect(PluginTime.milliseconds(inLog: log, sandbox: "c", command: "ADD") == nil)
    }

    @Test("the time of plugins is read from a pod's verbose status")
    func pluginInfo() {
        #expect(PluginTime.milliseconds(in: ["cniMilliseconds": "12.5"]) == 12.5)
        #expect(PluginTime.milliseconds(in: ["info": #"{"cniMilliseconds":"3"}"#]) == 3)
        #expect(PluginTime.milliseconds(in: ["info": #"{"pid":3}"#]) == nil)
        #expect(PluginTime.milliseconds(in: ["info": "x"]) == nil)
        #expect(PluginTime.milliseconds(in: [:]) == nil)
    }

    @Test("the floor's figures are read, and a report without them is refused")
    func floor() throws {
        var book = SampleBook()
        let report = #"{"iterations":20,"unit":"us","start":{"p50":1500,"p99":9},"exec":{"p50":500}}"#
        try Floor.read(Array(report.utf8), "floor", into: &book)
        try Floor.read(Array(report.utf8), "floor", into: &book)
        #expect(book[Floor.start]?.values == [1.5, 1.5])
        #expect(book[Floor.exec]?.values == [0.5, 0.5])
        #expect(book[Floor.mounts] == nil && book[Floor.paced] == nil)
        // 1 ms of a processor for each of 20 in a second.
        let paced = #"{"start":{"p50":1},"paced":{"p50":1200,"cpu":1000}}"#
        try Floor.read(Array(paced.utf8), "floor", into: &book)
        #expect(book[Floor.paced]?.values == [2] && book[Floor.paced]?.unit == "% of a core")
        for text in ["", "{}", #"{"start":{}}"#, "[1]", #"{"unit":"ns","start":{"p50":1}}"#] {
            #expect(throws: Failure.self) { try Floor.read(Array(text.utf8), "floor", into: &book) }
        }
    }

    @Test("a report with a peer, a baseline and a floor is as reviewed")
    func report() throws {
        func book(_ factor: Double) -> SampleBook {
            var book = SampleBook()
            for value in [1.0, 2, 3] {
                book.add(value * factor, to: "StartContainer")
                book.add(value * factor * 100, to: "RunPodSandbox")
            }
            return book
        }
        var floor = SampleBook()
        floor.add(1.5, to: Floor.start)
        var report = Report(
            machine: Machine(kernel: "6.18", processor: "some", cores: 2, time: "2026-11-23T02:10:29Z"),
            loadBefore: 0.25,
            loadAfter: 1.5, subject: .init(name: "ours 1", endpoint: "unix:///a", samples: book(1)),
            peer: .init(name: "theirs 2", endpoint: "unix:///b", samples: book(4)), floor: floor, baseline: nil)
        report.baseline = try Baseline(report.json)
        let fixtures = Golden.packageRoot.appending(path: "Tests/Fixtures/cli")
        try Golden.compare(report.text, with: fixtures.appending(path: "bench.txt"))
        try Golden.compare(report.json.pretty + "\n", with: fixtures.appending(path: "bench-json.txt"))
    }

    @Test("memory of this process can be read")
    func memory() throws {
        let own = ProcessInfo.processInfo.processIdentifier
        #expect(try #require(ProcessMemory.kibibytes(of: own)) > 100)
        let name = try #require(readText("/proc/self/comm")?.split(separator: "\n").first)
        #expect(ProcessMemory.processes(named: String(name)).contains(own))
        #expect(ProcessMemory.kibibytes(of: 0) == nil)
    }

    @Test(
        "bounds are kept",
        arguments: [["--iterations=-1"], ["--containers", "99999"], ["--sleep", " "], ["--pulls", "0"]])
    func bounds(flags: [String]) { #expect(throws: (any Error).self) { try BenchCommand.parse(flags) } }

    @Test func `the span of a log is from its first record to its last`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "span-\(UUID().uuidString)").path
        defer { removeQuietly(path) }
        let records = ["10:00:01.5", "10:00:02", "11:00:03.25"].map { "2026-11-26T\($0)Z stdout F x y\n" }
        try Data(records.joined().utf8).write(to: URL(filePath: path))
        let span = try LogSpan(path: path)
        #expect(span.lines == 3)
        #expect(span.seconds == 3601.75)
        try Data(records[0].utf8).write(to: URL(filePath: path))
        #expect(throws: Failure.self) { try LogSpan(path: path) }
    }

    @Test func `a process's time grows with its work, and one that has ended has none`() throws {
        let own = getpid()
        let before = try #require(ProcessTime.seconds(of: own))
        var sum = 0.0
        while try #require(ProcessTime.seconds(of: own)) < before + 0.05 { for n in 1...100_000 { sum += Double(n) } }
        #expect(sum > 0)
        #expect(ProcessTime.seconds(of: -1) == nil)
    }

    private func removeQuietly(_ path: String) {
        do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record("\(error)") }
    }
}
