import Foundation
import ImageStore
import Model
import Testing

@testable import Lifecycle
@testable import swiftletd

@Suite struct MetricsTests {
    private func page(_ source: any MetricsSource) -> [String] {
        var page = MetricsText()
        source.write(to: &page)
        return page.text.split(separator: "\n").map(String.init)
    }

    private func stage(_ name: StageName, milliseconds: Int64) -> OperationRecord.Stage {
        .init(name: name, start: 0, duration: milliseconds * 1_000_000)
    }

    @Test func `a histogram is cumulative, and a value on a bound belongs below it`() {
        var histogram = Histogram(bounds: [0.25, 1])
        for seconds in [0.25, 0.5, 7] { histogram.add(seconds) }
        var page = MetricsText()
        page.family("f", .histogram, "Help.")
        histogram.write("f", [("a", "b\"\\\n")], to: &page)
        #expect(
            page.text == """
                # HELP f Help.
                # TYPE f histogram
                f_bucket{a="b\\"\\\\\\n",le="0.25"} 1
                f_bucket{a="b\\"\\\\\\n",le="1.0"} 2
                f_bucket{a="b\\"\\\\\\n",le="+Inf"} 3
                f_sum{a="b\\"\\\\\\n"} 7.75
                f_count{a="b\\"\\\\\\n"} 3

                """)
    }

    @Test func `stages of starts are counted by method and stage, and those of other operations are not`() {
        let stages = StageStatistics()
        stages.stageEnded(stage(.network, milliseconds: 3), of: "RunPodSandbox")
        stages.stageEnded(stage(.network, milliseconds: 70_000), of: "RunPodSandbox")
        stages.stageEnded(stage(.retainImage, milliseconds: 1), of: "CreateContainer")
        stages.stageEnded(stage(.network, milliseconds: 3), of: "StopPodSandbox")
        let lines = page(stages)
        let network = "swiftlet_start_stage_duration_seconds_bucket{method=\"RunPodSandbox\",stage=\"network\",le="
        #expect(lines.contains(network + "\"0.0025\"} 0") && lines.contains(network + "\"0.005\"} 1"))
        #expect(lines.contains(network + "\"60.0\"} 1") && lines.contains(network + "\"+Inf\"} 2"))
        #expect(lines.contains { $0.contains("stage=\"retain_image\"") })
        #expect(!lines.contains { $0.contains("StopPodSandbox") })
        // HELP, TYPE; bounds, +Inf, sum and count of two series.
        #expect(lines.count == 2 + 2 * (StageStatistics.bounds.count + 3))
    }

    @Test func `names of stages are good labels, and differ`() {
        let labels = StageName.allCases.map(\.label)
        #expect(Set(labels).count == labels.count)
        #expect(labels.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "_" } })
    }

    @Test func `pulls are counted by how they end, one that is given up as failed`() async throws {
        let pulls = PullStatistics(board: PullBoard())
        _ = try await pulls.counted { 1 }
        await #expect(throws: Fault.self) { try await pulls.counted { throw Fault.notFound("none") } }
        await #expect(throws: CancellationError.self) { try await pulls.counted { throw CancellationError() } }
        let lines = page(pulls)
        for line in [
            "swiftlet_image_pulls_started_total 3", "swiftlet_image_pulls_total{result=\"succeeded\"} 1",
            "swiftlet_image_pulls_total{result=\"failed\"} 2", "swiftlet_image_pull_bytes_total 0",
        ] { #expect(lines.contains(line), "\(line)") }
    }

    @Test func `leaks have a series for each kind and time from the beginning`() {
        let leaks = LeakTally()
        leaks.found(.lostPod, .running)
        leaks.note(.podWithoutRecord, .recovery, isMended: true)
        leaks.note(.podWithoutRecord, .recovery, isMended: false)
        let lines = page(leaks)
        #expect(lines.count == 2 * (2 + LeakTally.Kind.allCases.count * 2))
        for line in [
            "swiftlet_leaks_found_total{kind=\"lost_pod\",found_at=\"running\"} 1",
            "swiftlet_leaks_mended_total{kind=\"lost_pod\",found_at=\"running\"} 0",
            "swiftlet_leaks_found_total{kind=\"pod_without_record\",found_at=\"recovery\"} 2",
            "swiftlet_leaks_mended_total{kind=\"pod_without_record\",found_at=\"recovery\"} 1",
        ] { #expect(lines.contains(line), "\(line)") }
    }
}
