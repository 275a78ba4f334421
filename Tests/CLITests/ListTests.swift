import CLICore
import CRIProto
import Foundation
import GRPC
import Synchronization
import Testing

@testable import swiftlet

/// What the list and inspect commands print, each against its file in Fixtures/cli.
@Suite struct ListTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var golden: String
        var arguments: [String]
        var testDescription: String { golden }
    }

    static let rows = [
        Row(golden: "ps-wide", arguments: ["ps", "-a", "-o", "wide"]),
        Row(golden: "ps-verbose", arguments: ["ps", "-v"]),
        Row(golden: "ps-resolved", arguments: ["ps", "-r"]),
        Row(golden: "pods-wide", arguments: ["pods", "-o", "wide"]),
        Row(golden: "pods-verbose", arguments: ["pods", "-v", "--name", "^web$"]),
        Row(
            golden: "pods-template",
            arguments: ["pods", "-o", "go-template", "--template", "{{range .items}}{{.metadata.uid}}\n{{end}}"]),
        Row(golden: "images-wide", arguments: ["images", "-o", "wide"]),
        Row(golden: "images-verbose", arguments: ["images", "-v"]),
        Row(golden: "inspect-chosen", arguments: ["inspect", "-q", "-o", "table", "--name", "nginx"]),
        Row(golden: "inspectp-chosen", arguments: ["inspectp", "-q", "-o", "table", "--state", "notready"]),
        Row(golden: "inspecti-chosen", arguments: ["inspecti", "-q", "-o", "table", "--filter", "reference=team/"]),
        Row(golden: "stats-wide", arguments: ["stats", "-s", "0", "-o", "wide"]),
        Row(golden: "statsp-wide", arguments: ["statsp", "-s", "0", "-o", "wide"]),
        Row(golden: "version", arguments: ["version"]),
        Row(golden: "version-json", arguments: ["version", "-o", "json"]),
        Row(golden: "info", arguments: ["info"]), Row(golden: "info-table", arguments: ["info", "-o", "table"]),
        Row(golden: "pods", arguments: ["pods"]), Row(golden: "pods-no-trunc", arguments: ["pods", "--no-trunc"]),
        Row(golden: "pods-json", arguments: ["pods", "-o", "json", "--name", "^web$"]),
        Row(golden: "pods-yaml", arguments: ["pods", "-o", "yaml", "--name", "^web$"]),
        Row(golden: "ps", arguments: ["ps"]), Row(golden: "ps-all", arguments: ["ps", "-a"]),
        Row(golden: "ps-json", arguments: ["ps", "-o", "json", "--name", "nginx"]),
        Row(golden: "images", arguments: ["images"]),
        Row(golden: "images-digests", arguments: ["images", "--digests", "--pinned"]),
        Row(golden: "images-no-trunc", arguments: ["images", "--no-trunc"]),
        Row(golden: "inspect", arguments: ["inspect", "0003"]),
        Row(golden: "inspect-table", arguments: ["inspect", "-o", "table", "0003"]),
        Row(golden: "inspect-plan", arguments: ["inspect", "--plan", "0003"]),
        Row(golden: "inspect-two", arguments: ["inspect", "-q", "0003", "0004"]),
        Row(golden: "inspectp", arguments: ["inspectp", "0001"]),
        Row(golden: "inspectp-table", arguments: ["inspectp", "-o", "table", "0001"]),
        Row(golden: "inspecti", arguments: ["inspecti", "docker.io/library/busybox:1"]),
        Row(golden: "imagefsinfo", arguments: ["imagefsinfo"]),
        Row(golden: "imagefsinfo-table", arguments: ["imagefsinfo", "-o", "table"]),
        Row(golden: "stats", arguments: ["stats", "-s", "0"]),
        Row(golden: "stats-one", arguments: ["stats", "-s", "0", "--pod", "0001", "0003"]),
        Row(golden: "stats-json", arguments: ["stats", "-o", "json", "0003"]),
        Row(golden: "statsp", arguments: ["statsp", "-s", "0"]),
        Row(golden: "statsp-one", arguments: ["statsp", "-s", "0", "--id", "0001"]),
        Row(golden: "metricdescs", arguments: ["metricdescs", "-o", "table"]),
        Row(golden: "metricsp", arguments: ["metricsp", "-o", "table"]),
        Row(golden: "metricsp-json", arguments: ["metricsp"]),
        Row(golden: "runtime-config", arguments: ["runtime-config"]),
        Row(golden: "runtime-config-json", arguments: ["runtime-config", "-o", "json"]),
        Row(golden: "inspecti-table", arguments: ["inspecti", "-q", "-o", "table", "docker.io/library/busybox:1"]),
    ]

    /// Two pods, three containers, two images; one name tries to drive the terminal.
    private func populate(_ runtime: FakeRuntime) {
        let web = runtime.addPod("web", secondsAgo: 3700)
        let batch = runtime.addPod("batch\u{1b}[2J", namespace: "jobs", secondsAgo: 60, ready: false)
        runtime.addContainer("nginx", in: web, secondsAgo: 3600)
        runtime.addContainer("sidecar", in: web, .containerCreated, secondsAgo: 90, attempt: 2)
        runtime.addContainer("job", in: batch, .containerExited, secondsAgo: 59)
        runtime.addImage("docker.io/library/busybox:1")
        runtime.addImage("registry.local:5000/team/app:v2", digit: "c", size: 104_857_600)
        runtime.world.state.withLock { state in
            state.info = ["plan": #"{"steps":[{"op":"pivotRoot"},{"op":"exec"}]}"#, "pid": "42"]
            state.containers[state.containers.keys.sorted()[0]]?.status.startedAt = 1_795_396_230_123_456_789
        }
    }

    @Test("output is as reviewed", arguments: rows)
    func output(row: Row) async throws {
        try await FakeRuntime.with { runtime in
            populate(runtime)
            let result = await runtime.swiftlet(row.arguments)
            #expect(result.status == 0)
            #expect(result.err == "")
            #expect(!result.out.contains("\u{1b}"))
            let file = Golden.packageRoot.appending(path: "Tests/Fixtures/cli/\(row.golden).txt")
            try Golden.compare(result.out, with: file)
        }
    }

    @Test("a format for programs wins over -q and -v", arguments: ["ps", "pods", "images"])
    func quietJSON(command: String) async throws {
        try await FakeRuntime.with { runtime in
            populate(runtime)
            let whole = await runtime.swiftlet(command, "-o", "json")
            #expect(whole.out.hasPrefix("{"))
            for flag in ["-q", "-v"] { #expect(await runtime.swiftlet(command, flag, "-o", "json") == whole) }
        }
    }

    static let podFiltersRows: [([String], [String])] = [
        (["--id", "0001"], ["0001"]), (["--name", "^w"], ["0001"]), (["--namespace", "jobs"], ["0002"]),
        (["--label", "app=web"], ["0001"]), (["--label", "app=we"], []), (["--state", "ready"], ["0001"]),
        (["-s", "NotReady"], ["0002"]), (["-l"], ["0002"]), (["-n", "1"], ["0002"]), (["-n", "0"], ["0002", "0001"]),
        ([], ["0002", "0001"]),
    ]

    @Test("filters choose pods", arguments: podFiltersRows)
    func podFilters(arguments: [String], ids: [String]) async throws {
        try await FakeRuntime.with { runtime in
            populate(runtime)
            let result = await runtime.swiftlet(["pods", "-q"] + arguments)
            #expect(result.status == 0)
            #expect(result.out.split(separator: "\n").map { $0.prefix(4) } == ids.map { Substring($0) })
        }
    }

    static let containerFiltersRows: [([String], [String])] = [
        ([], ["0003"]), (["-a"], ["0005", "0004", "0003"]), (["-a", "--id", "0004"], ["0004"]),
        (["-a", "--pod", "0002"], ["0005"]), (["-a", "--name", "job|side"], ["0005", "0004"]),
        (["--state", "exited"], ["0005"]), (["-a", "--label", "tier=job"], ["0005"]),
        (["-a", "--label", "tier=job,io.kubernetes.pod.name=web"], ["0005"]), (["-a", "--label", "tier=job,a=b"], []),
        (["-l"], ["0005"]),
        (["-n", "2"], ["0005", "0004"]),
        (["-a", "--image", "docker.io/library/busybox:1", "--name", "nginx"], ["0003"]),
        (["-a", "--image", "registry.local:5000/team/app:v2"], []), (["-a", "--namespace", "none"], []),
    ]

    @Test("filters choose containers", arguments: containerFiltersRows)
    func containerFilters(arguments: [String], ids: [String]) async throws {
        try await FakeRuntime.with { runtime in
            populate(runtime)
            let result = await runtime.swiftlet(["ps", "-q"] + arguments)
            #expect(result.status == 0)
            #expect(result.out.split(separator: "\n").map { $0.prefix(4) } == ids.map { Substring($0) })
        }
    }

    static let imageFiltersRows: [([String], Int)] = [
        (["-f", "dangling=true"], 0), (["-f", "dangling=false"], 2), (["--filter", "reference=team/"], 1),
        (["-f", "before=docker.io/library/busybox:1"], 1), (["-f", "since=registry.local:5000/team/app:v2"], 1),
        (["docker.io/library/busybox:1"], 1), (["nothing"], 0),
        (["-f", "dangling=false,reference=team/"], 1), (["-f", "dangling=true,reference=team/"], 0),
        (["-f", "reference=te{1,2}am/"], 1), (["-f", "reference=te{3,4}am/,dangling=false"], 0),
    ]

    @Test("filters choose images", arguments: imageFiltersRows)
    func imageFilters(arguments: [String], count: Int) async throws {
        try await FakeRuntime.with { runtime in
            populate(runtime)
            let result = await runtime.swiftlet(["images", "-q"] + arguments)
            #expect(result.status == 0)
            #expect(result.out.split(separator: "\n").count == count)
        }
    }

    @Test(
        "a filter that makes no sense ends with 2 and is named",
        arguments: [
            ["pods", "--state", "sleepy"], ["ps", "--state", "sleepy"], ["ps", "--label", "novalue"],
            ["pods", "--name", "("],
            ["images", "-f", "size=3"], ["ps", "-n=-1"], ["images", "-f", "dangling=perhaps"],
            ["ps", "-n", "-1"], ["pods", "--last", "-2"], ["ps", "--label", "tier=job,b"],
            ["logs", "--limit-bytes", "-2", "0003"], ["pull", "-a", "novalue", "app"],
        ])
    func badFilters(arguments: [String]) async throws {
        try await FakeRuntime.with { runtime in
            let result = await runtime.swiftlet(arguments)
            #expect(result.status == 2)
            #expect(result.out == "")
            #expect(result.err.hasPrefix("swiftlet: --"))
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var status: GRPCStatus
        var says: String
        var testDescription: String { "\(status.code)" }
    }

    @Test(
        "what the runtime refuses is one sentence on standard error",
        arguments: [
            Refusal(
                status: GRPCStatus(code: .unavailable, message: "recovery is not done"),
                says: "swiftlet: list pods: the runtime is not available: recovery is not done\n"),
            Refusal(
                status: GRPCStatus(code: .unimplemented, message: "unknown method"),
                says: "swiftlet: list pods: the runtime does not support this (unknown method)\n"),
            Refusal(
                status: GRPCStatus(code: .deadlineExceeded, message: "the disk took too long"),
                says: "swiftlet: list pods: the disk took too long\n"),
            Refusal(
                status: GRPCStatus(code: .internal, message: "list pods of \"x\": no memory"),
                says: "swiftlet: list pods of \"x\": no memory\n"),
            Refusal(status: GRPCStatus(code: .internal), says: "swiftlet: list pods: the runtime says internal\n"),
            Refusal(
                status: GRPCStatus(code: .unknown, message: "bad \u{1b}[31mnews\nmore"),
                says: "swiftlet: list pods: bad ?[31mnews?more\n"),
        ])
    func refusals(refusal: Refusal) async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock { $0.failures["ListPodSandbox"] = refusal.status }
            let result = await runtime.swiftlet("pods")
            #expect(result.status == 1)
            #expect(result.err == refusal.says)
        }
    }

    @Test("--watch shows the numbers again, and clears the screen on a terminal only", arguments: [false, true])
    func watch(isTerminal: Bool) async throws {
        try await FakeRuntime.with { runtime in
            populate(runtime)
            runtime.world.state.withLock { state in
                state.failsAfter["ListPodSandboxMetrics"] = (1, GRPCStatus(code: .internal, message: "gone"))
            }
            let result = await runtime.swiftlet("metricsp", "-w", "-o", "table", isTerminal: isTerminal)
            #expect((result.status, result.err) == (1, "swiftlet: list pod metrics: gone\n"))
            #expect(result.out.hasPrefix("\u{1b}[H") == isTerminal)
            #expect(result.out.components(separatedBy: "METRIC").count == 2)
        }
    }

    @Test("a runtime that does not answer in time is said so")
    func noAnswer() async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock { $0.isStuck = true }
            let result = await runtime.swiftlet("-t", "20ms", "pods")
            #expect(result.status == 1)
            #expect(result.err == "swiftlet: list pods: no answer within 20 ms\n")
        }
    }

    @Test("a container without a plan says so")
    func noPlan() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addContainer("a", in: runtime.addPod("p"))
            let result = await runtime.swiftlet("inspect", "--plan", "0002")
            #expect(result.status == 1)
            #expect(result.err.contains("no launch plan"))
        }
    }

    @Test("--debug tells each call on standard error")
    func trace() async throws {
        try await FakeRuntime.with { runtime in
            let result = await runtime.swiftlet("-D", "ps")
            #expect(result.err.contains("swiftlet: ListContainers "))
        }
    }
}
