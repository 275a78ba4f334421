import CLICore
import CRIProto
import GRPC
import SwiftProtobuf
import Synchronization
import Testing

@testable import swiftlet

/// Bytes read and written in `top`.
@Suite(.timeLimit(.minutes(2))) struct DiskRateTests {
    private static func metrics(
        _ uses: [String: (read: UInt64, written: UInt64)], at time: Int64, pod: String = "pod", counts: Bool = true
    ) -> Runtime_V1_ListPodSandboxMetricsResponse {
        func metric(_ name: String, _ value: UInt64) -> Runtime_V1_Metric {
            .with {
                ($0.name, $0.timestamp, $0.value.value) = (name, time, value)
                $0.labelValues = ["web", "/dev/vda"]
            }
        }
        return .with {
            $0.podMetrics = [
                .with {
                    $0.podSandboxID = pod
                    $0.metrics = [metric("container_network_receive_bytes_total", 5)]
                    $0.containerMetrics = uses.map { id, use in
                        .with {
                            $0.containerID = id
                            $0.metrics = [metric("container_processes", 1)]
                            guard counts, use != (0, 0) else { return }
                            // One for each device.
                            $0.metrics += [
                                metric("container_fs_reads_bytes_total", use.read),
                                metric("container_fs_reads_bytes_total", 1),
                                metric("container_fs_writes_bytes_total", use.written),
                            ]
                        }
                    }
                }
            ]
        }
    }

    /// A runtime that answers in turn, and a clock that a test moves.
    private final class Source: Sendable {
        let state = Mutex(
            (
                now: ContinuousClock.now, cost: Duration.zero, asked: 0,
                answers: [Runtime_V1_ListPodSandboxMetricsResponse]()
            ))

        init(_ answers: [Runtime_V1_ListPodSandboxMetricsResponse]) { state.withLock { $0.answers = answers } }

        var asked: Int { state.withLock(\.asked) }
        func pass(_ time: Duration) { state.withLock { $0.now += time } }

        func meter() -> DiskMeter {
            DiskMeter(clock: { self.state.withLock(\.now) }) {
                try self.state.withLock { state in
                    state.now += state.cost
                    state.asked += 1
                    guard !state.answers.isEmpty else { throw Failure("no more") }
                    return state.answers.count == 1 ? state.answers[0] : state.answers.removeFirst()
                }
            }
        }
    }

    private static let second: Int64 = 1_000_000_000

    @Test("rates are bytes of all devices over the time between two counts, and need two")
    func rates() async {
        let source = Source([
            Self.metrics(["a": (100, 50), "b": (7, 7), "quiet": (0, 0)], at: 10 * Self.second),
            Self.metrics(["a": (1100, 550), "b": (3, 7), "quiet": (0, 0), "new": (9, 9)], at: 12 * Self.second),
        ])
        let meter = source.meter()
        #expect(await meter.current() == [:])
        // "b" began again, "new" has no earlier count; what has moved nothing has no metric, and a rate of 0.
        let rates = await meter.current()
        #expect(rates == ["a": DiskRate(read: 500, written: 250), "quiet": DiskRate(read: 0, written: 0)])
    }

    @Test("a runtime that does not tell when it counted is timed by its answers, one that counts seldom keeps its rate")
    func times() async {
        let untimed = Source([Self.metrics(["a": (0, 8)], at: 0), Self.metrics(["a": (0, 16)], at: 0)])
        let meter = untimed.meter()
        _ = await meter.current()
        untimed.pass(.seconds(4))
        #expect(await meter.current() == ["a": DiskRate(read: 0, written: 2)])
        let seldom = Source([
            Self.metrics(["a": (0, 8)], at: Self.second), Self.metrics(["a": (0, 16)], at: 2 * Self.second),
        ])
        let other = seldom.meter()
        _ = await other.current()
        let rates = await other.current()
        seldom.pass(.seconds(1))
        #expect(rates == ["a": DiskRate(read: 0, written: 8)])
        #expect(await other.current() == rates)
    }

    @Test(
        "asking takes half a hundredth of the time, and a tenth of that where nothing is counted",
        arguments: [true, false])
    func cost(counts: Bool) async {
        let source = Source([Self.metrics(["a": (1, 1)], at: 0, counts: counts)])
        source.state.withLock { $0.cost = .milliseconds(50) }
        let meter = source.meter()
        for _ in 0..<20 {
            _ = await meter.current()
            source.pass(.seconds(1))
        }
        // At 0 and 1 s, then at most each 200 * 50 ms = 10 s.
        #expect(source.asked == (counts ? 3 : 2))
    }

    @Test("a runtime that fails to answer is asked once")
    func unserved() async {
        let source = Source([])
        let meter = source.meter()
        for _ in 0..<3 { #expect(await meter.current() == [:]) }
        #expect(source.asked == 1)
    }

    @Test("the table has columns for them where there is anything, a pod is the sum of its containers")
    func table() {
        func sample(_ disks: [String: DiskRate]) -> TopSample {
            TopSample(
                pods: ["p", "q"].map { id in
                    .with {
                        $0.attributes.id = id
                        $0.attributes.metadata.name = id
                        $0.linux.io.psi.some.avg10 = id == "q" ? 9 : 0
                        $0.linux.containers = ["a", "b"].map { name in
                            .with { ($0.attributes.id, $0.attributes.metadata.name) = (id + name, name) }
                        }
                    }
                }, disks: disks)
        }
        func lines(_ disks: [String: DiskRate]) -> [String] {
            let rows = TopTable.rows(sample(disks).groups(since: nil), by: .io, isFlat: false)
            return TopTable.lines(rows, size: nil, isFlat: false)
        }
        #expect(lines([:])[0].contains("READ") == false && lines([:])[1].hasPrefix("q"))
        let disks = ["pa": DiskRate(read: 1500, written: 0), "pb": DiskRate(read: 500, written: 2_000_000)]
        #expect(
            lines(disks).prefix(4) == [
                "NAME  CPU %  MEM  LIMIT  PIDS  READ/S  WRITE/S  CPU PSI  MEM PSI  IO PSI  ID",
                "p         -    -      -     -     2kB      2MB        -        -       0  p",
                "  b       -    -      -     -    500B      2MB        -        -       -  pb",
                "  a       -    -      -     -   1.5kB       0B        -        -       -  pa",
            ])
        #expect(lines(["p": DiskRate(read: .infinity, written: .nan)])[1].contains("-"))
        let json = Top.json(TopTable.rows(sample(disks).groups(since: nil), by: .io, isFlat: true)).compact
        #expect(json.contains("\"readBytesPerSecond\":500,\"writtenBytesPerSecond\":2000000"), "\(json)")
    }

    @Test("top shows them against a runtime that counts, and none against one that does not")
    func top() async throws {
        try await FakeRuntime.with { runtime in
            let pod = runtime.addPod("web")
            let container = runtime.addContainer("app", in: pod)
            #expect(await runtime.swiftlet("top", "--once").out.contains("READ/S") == false)
            runtime.world.state.withLock { state in
                state.metrics = { count in
                    Self.metrics([container: (UInt64(count) * 1000, 0)], at: Int64(count) * Self.second, pod: pod)
                }
            }
            let failure = GRPCStatus(code: .unimplemented, message: "no statistics of pods")
            runtime.world.state.withLock { $0.failures["ListPodSandboxStats"] = failure }
            let result = await runtime.swiftlet("top", "--once", "--containers")
            #expect(
                result.status == 0 && result.out.contains("READ/S  WRITE/S") && result.out.contains("1kB"), "\(result)")
        }
    }
}
