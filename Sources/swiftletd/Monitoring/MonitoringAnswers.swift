import Foundation
import Lifecycle
import Linux
import NIOHTTP1
import Synchronization

/// What a monitoring system reads: `/metrics` for Prometheus, `/healthz` for whoever asks whether calls are answered.
final class MonitoringAnswers: Sendable {
    let calls = CallStatistics()
    private let runtime: Runtime
    /// What else has numbers.
    private let sources: [any MetricsSource]
    private let startedAt = Clock.realtimeNanoseconds
    /// Nil until recovery is done.
    private let recovery = Mutex<RecoveryReport?>(nil)

    init(runtime: Runtime, sources: [any MetricsSource]) {
        self.runtime = runtime
        self.sources = sources
    }

    func recovered(_ report: RecoveryReport) { recovery.withLock { $0 = report } }

    /// Nil where nothing is at the path.
    func answer(at path: String) -> HTTPAnswer? {
        switch path {
        case "/metrics": HTTPAnswer(type: MetricsText.contentType, body: Array(page().utf8))
        case "/healthz":
            recovery.withLock { $0 } == nil
                ? HTTPAnswer(status: .serviceUnavailable, type: "text/plain", body: Array("recovering\n".utf8))
                : HTTPAnswer(type: "text/plain", body: Array("ok\n".utf8))
        default: nil
        }
    }

    private func page() -> String {
        var page = MetricsText()
        page.family("swiftlet_build_info", .gauge, "Always 1; the version is the label's.")
        page.sample("swiftlet_build_info", [("version", Version.current)], "1")
        calls.write(to: &page)
        writeObjects(to: &page)
        page.single(
            "swiftlet_event_subscribers", .gauge, "Clients that wait for container events now.",
            "\(runtime.inventory.events.subscribers)")
        page.single(
            "swiftlet_event_subscribers_cut_off_total", .counter,
            "Clients whose stream of events was ended as they did not keep up.",
            "\(runtime.inventory.events.cutOff)")
        page.single(
            "swiftlet_events_dropped_total", .counter, "Events that those clients were not given any more.",
            "\(runtime.inventory.events.dropped)")
        for source in sources { source.write(to: &page) }
        if let report = recovery.withLock({ $0 }) { Self.write(report, to: &page) }
        writeProcess(to: &page)
        return page.text
    }

    private func writeObjects(to page: inout MetricsText) {
        let pods = runtime.inventory.pods()
        let ready = pods.count { $0.isReady }
        page.family("swiftlet_pod_sandboxes", .gauge, "Pod sandboxes by state; each ready one has a supervisor.")
        page.sample("swiftlet_pod_sandboxes", [("state", "ready")], "\(ready)")
        page.sample("swiftlet_pod_sandboxes", [("state", "notready")], "\(pods.count - ready)")
        var states = ["created": 0, "running": 0, "exited": 0, "unknown": 0]
        for container in runtime.inventory.containers() { states[Self.name(container.state), default: 0] += 1 }
        page.family("swiftlet_containers", .gauge, "Containers by state.")
        for (state, count) in states.sorted(by: { $0.key < $1.key }) {
            page.sample("swiftlet_containers", [("state", state)], "\(count)")
        }
    }

    private static func name(_ state: ContainerMachine.State) -> String {
        switch state {
        case .created: "created"
        case .running: "running"
        case .exited: "exited"
        default: "unknown"
        }
    }

    /// What this daemon found when it started.
    private static func write(_ report: RecoveryReport, to page: inout MetricsText) {
        let name = "swiftlet_recovered_objects"
        page.family(name, .gauge, "What the start of this daemon found, and what it did with it.")
        for (what, count) in [
            ("pods_ready", report.podsReady), ("pods_stopped", report.podsStopped), ("pods_undone", report.podsUndone),
            ("containers_running", report.containersRunning), ("containers_exited", report.containersExited),
            ("containers_created", report.containersCreated), ("containers_undone", report.containersUndone),
            ("leftovers_removed", report.leftoversRemoved),
        ] { page.sample(name, [("what", what)], "\(count)") }
    }

    /// The usual names of a process's own numbers.
    private func writeProcess(to page: inout MetricsText) {
        page.single(
            "process_start_time_seconds", .gauge, "When the daemon was started, in seconds since 1970.",
            "\(Double(startedAt) / 1e9)")
        guard let status = FileManager.default.contents(atPath: "/proc/self/status") else { return }
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, let number = Int64(words[1]) else { continue }
            switch words[0] {
            case "VmRSS:":
                page.single(
                    "process_resident_memory_bytes", .gauge, "Memory of the daemon, shared pages included.",
                    "\(number * 1024)")
            case "Threads:": page.single("process_threads", .gauge, "Threads of the daemon.", "\(number)")
            default: continue
            }
        }
    }
}
