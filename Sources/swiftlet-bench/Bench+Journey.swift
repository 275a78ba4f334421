import CLICore
import CRIProto
import SwiftProtobuf

extension Bench {
    /// Names of derived measurements.
    enum Derived {
        static let runOwn = "RunPodSandbox without plugins"
        static let runPlugins = "RunPodSandbox plugins"
        static let stopOwn = "StopPodSandbox without plugins"
        static let stopPlugins = "StopPodSandbox plugins"
    }

    /// The life of one pod with one container, each call measured.
    func journey(_ subject: Subject, number: Int) async throws {
        let workload = workload(subject, "j\(number)")
        let run = try await subject.measure(CRIMethods.runPodSandbox, runRequest(subject, workload))
        let pod = run.response.podSandboxID
        if let plugins = try await addPluginTime(subject, pod) {
            subject.record(plugins, Derived.runPlugins)
            subject.record(max(0, run.milliseconds - plugins), Derived.runOwn)
        }
        let create = try await subject.measure(CRIMethods.createContainer, createRequest(workload, in: pod))
        let container = create.response.containerID
        _ = try await subject.measure(CRIMethods.startContainer, .with { $0.containerID = container })
        let exec = Runtime_V1_ExecSyncRequest.with {
            $0.containerID = container
            $0.cmd = plan.execCommand
            $0.timeout = 60
        }
        let answer = try await subject.measure(CRIMethods.execSync, exec).response
        guard answer.exitCode == 0 else {
            let said = printable(String(decoding: answer.stderr.prefix(200), as: UTF8.self))
            throw Failure(
                "\(subject.runtimeName): exec of \(plan.execCommand[0]) ended with \(answer.exitCode): \(said)")
        }
        _ = try await subject.measure(CRIMethods.stopContainer, .with { $0.containerID = container })
        _ = try await subject.measure(CRIMethods.removeContainer, .with { $0.containerID = container })
        let stop = try await subject.measure(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = pod })
        if let plugins = loggedPluginTime(subject, pod, command: "DEL") {
            subject.record(plugins, Derived.stopPlugins)
            subject.record(max(0, stop.milliseconds - plugins), Derived.stopOwn)
        }
        _ = try await subject.measure(CRIMethods.removePodSandbox, .with { $0.podSandboxID = pod })
    }

    private func addPluginTime(_ subject: Subject, _ pod: String) async throws -> Double? {
        if subject.settings.pluginLog != nil { return loggedPluginTime(subject, pod, command: "ADD") }
        let request = Runtime_V1_PodSandboxStatusRequest.with {
            $0.podSandboxID = pod
            $0.verbose = true
        }
        return PluginTime.milliseconds(in: try await subject.call(CRIMethods.podSandboxStatus, request).info)
    }

    private func loggedPluginTime(_ subject: Subject, _ pod: String, command: String) -> Double? {
        guard let path = subject.settings.pluginLog, let log = readText(path) else { return nil }
        return PluginTime.milliseconds(inLog: log, sandbox: pod, command: command)
    }
}
