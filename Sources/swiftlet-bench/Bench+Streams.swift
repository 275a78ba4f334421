import CLICore
import CRIProto
import Foundation
import StreamClient
import SwiftProtobuf

extension Bench {
    /// How much is measured of streams, logs and probes.
    struct StreamPlan: Sendable {
        /// Commands that are streamed one after the other, by each protocol.
        var commands: Int
        /// Megabytes (10^6 bytes) that one command writes.
        var megabytes: Int
        /// Lines that one container logs.
        var logLines: Int
        /// Seconds of 20 execs each.
        var probeSeconds: Int
    }

    /// Bytes of a line that is logged, its end included.
    private static let lineBytes = 80
    private static let probesPerSecond = Floor.pace
    static let probesName = "CPU of \(probesPerSecond) exec probes a second"

    /// Exec by stream, a container's log, and probes, on one pod.
    func streams(_ subject: Subject, _ amounts: StreamPlan) async throws {
        let logs = FileManager.default.temporaryDirectory.appending(path: "swiftlet-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
        defer { removeQuietly(logs) }
        var workload = workload(subject, "s")
        workload.logDirectory = logs.path
        let pod = try await subject.call(CRIMethods.runPodSandbox, runRequest(subject, workload)).podSandboxID
        let container = try await subject.call(CRIMethods.createContainer, createRequest(workload, in: pod)).containerID
        _ = try await subject.call(CRIMethods.startContainer, .with { $0.containerID = container })

        for _ in 0..<amounts.commands {
            for transport in StreamOptions.Transport.allCases {
                let took = try await stream(subject, container, plan.execCommand, transport).took
                subject.record(took.milliseconds, "exec stream, \(transport.rawValue)")
            }
        }
        if amounts.megabytes > 0 { try await throughput(subject, container, amounts.megabytes) }
        if amounts.probeSeconds > 0 { try await probes(subject, container, amounts.probeSeconds) }
        if amounts.logLines > 0 { try await log(subject, workload, pod, amounts.logLines) }
        _ = try await subject.call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = pod })
        _ = try await subject.call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = pod })
    }

    // MARK: - Private

    private func removeQuietly(_ directory: URL) {
        do { try FileManager.default.removeItem(at: directory) } catch { note("remove \(directory.path): \(error)") }
    }

    /// Runs a command by Exec, takes what it writes, and waits for its end.
    private func stream(
        _ subject: Subject, _ container: String, _ command: [String], _ transport: StreamOptions.Transport
    ) async throws -> (took: Duration, bytes: Int) {
        let begin = ContinuousClock.now
        let request = Runtime_V1_ExecRequest.with {
            $0.containerID = container
            $0.cmd = command
            $0.stdout = true
        }
        let url = try StreamURL(try await subject.call(CRIMethods.exec, request).url)
        let remote = try await RemoteCommand.open(
            url, RemoteStreams(stdin: false, stdout: true, stderr: false, tty: false),
            StreamOptions(transport: transport))
        var bytes = 0
        while let output = await remote.next() {
            if case .stdout(let part) = output { bytes += part.count }
        }
        let outcome = try remote.outcome()
        let took = ContinuousClock.now - begin
        remote.close()
        guard outcome == .exited(0) else {
            throw Failure("\(subject.runtimeName): a streamed \(command[0]) ended with \(outcome)")
        }
        return (took, bytes)
    }

    private func throughput(_ subject: Subject, _ container: String, _ megabytes: Int) async throws {
        let command = ["dd", "if=/dev/zero", "bs=1000000", "count=\(megabytes)"]
        let before = subject.settings.memory.processorSeconds()
        let (took, bytes) = try await stream(subject, container, command, .spdy)
        let after = subject.settings.memory.processorSeconds()
        guard bytes == megabytes * 1_000_000 else {
            throw Failure("\(subject.runtimeName): \(bytes) bytes came of \(megabytes) MB")
        }
        subject.record(Double(bytes) / took.milliseconds / 1000, "exec stream output", unit: "MB/s")
        guard let before, let after else { return }
        subject.record((after - before) * 1e9 / Double(bytes), "CPU per GB of exec stream output", unit: "s")
    }

    /// What a kubelet's exec probes cost, all processes of daemon and shims counted, and those that these have waited for.
    private func probes(_ subject: Subject, _ container: String, _ seconds: Int) async throws {
        let request = Runtime_V1_ExecSyncRequest.with {
            $0.containerID = container
            $0.cmd = plan.execCommand
            $0.timeout = 60
        }
        let before = subject.settings.memory.processorSeconds()
        let begin = ContinuousClock.now
        for number in 0..<seconds * Self.probesPerSecond {
            try await Task.sleep(
                until: begin + .seconds(Double(number) / Double(Self.probesPerSecond)), clock: .continuous)
            _ = try await subject.call(CRIMethods.execSync, request)
        }
        let took = ContinuousClock.now - begin
        guard let before, let after = subject.settings.memory.processorSeconds() else { return }
        subject.record(
            (after - before) * 100_000 / took.milliseconds, Self.probesName, unit: "% of a core")
    }

    /// Lines between the first and the last record of a container that writes as fast as its log takes them.
    private func log(_ subject: Subject, _ pod: Workload, _ podID: String, _ lines: Int) async throws {
        // Made first, so that making them is not measured.
        let portion = 100_000
        let rounds = max(1, lines / portion)
        let line = String(repeating: "x", count: Self.lineBytes - 1)
        var workload = pod
        workload.name += "-log"
        workload.command = [
            "sh", "-c",
            "yes \(line) | head -n \(portion) >/lines; i=0; while [ $i -lt \(rounds) ]; do cat /lines; i=$((i+1)); done",
        ]
        let container = try await subject.call(
            CRIMethods.createContainer,
            .with {
                $0.podSandboxID = podID
                $0.config = workload.container
                $0.config.logPath = "lines.log"
                $0.sandboxConfig = pod.pod
            }
        ).containerID
        let before = subject.settings.memory.processorSeconds()
        _ = try await subject.call(CRIMethods.startContainer, .with { $0.containerID = container })
        while try await subject.call(CRIMethods.containerStatus, .with { $0.containerID = container }).status.state
            != .containerExited
        {
            try await Task.sleep(for: .milliseconds(50))
        }
        let after = subject.settings.memory.processorSeconds()
        let file = try LogSpan(path: pod.logDirectory + "/lines.log")
        guard file.lines == portion * rounds else {
            throw Failure("\(subject.runtimeName): \(file.lines) lines are in the log, not \(portion * rounds)")
        }
        subject.record(Double(file.lines) / file.seconds / 1000, "log lines landed", unit: "1000/s")
        guard let before, let after else { return }
        subject.record((after - before) * 1e6 / Double(file.lines), "CPU per log line", unit: "us")
    }
}
