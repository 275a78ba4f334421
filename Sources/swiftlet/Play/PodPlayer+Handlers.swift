import CLICore
import CRIProto
import Play
import SwiftProtobuf

extension PodPlayer {
    /// A hook after which the container counts as up.
    func postStart(_ name: String, _ attempt: Int) async {
        guard let spec = spec(name), let id = id(name, attempt), let hook = spec.postStart?.handler else { return }
        // The API gives the hook no limit of its own.
        let problem = await perform(hook, spec, id, within: .seconds(3600))
        if let problem { await say("/\(name): postStart hook failed: \(problem)") }
        send(.hookEnded(name, attempt: attempt, isGood: problem == nil))
    }

    func probe(_ name: String, _ attempt: Int, _ kind: ProbeKind) async {
        guard let spec = spec(name), let id = id(name, attempt), let probe = spec.probe(kind) else { return }
        let problem = await perform(probe.handler, spec, id, within: .seconds(probe.timeout))
        if let problem { await say("/\(name): \(kind) probe failed: \(problem)") }
        send(.probed(name, attempt: attempt, kind, isGood: problem == nil))
    }

    /// Does what a probe or a hook says; nil if it went well, else why not.
    func perform(_ handler: Handler, _ spec: ContainerManifest, _ id: String, within limit: Duration) async -> String? {
        switch handler {
        case .exec(let command): return await execute(command, id, within: limit)
        case .sleep(let seconds):
            do { try await Task.sleep(for: min(.seconds(seconds), limit)) } catch { return "interrupted" }
            return nil
        case .tcp(let port, let host):
            guard let port = spec.port(port) else { return "there is no port \"\(port)\"" }
            return await NetworkProbe.connect(host: host.isEmpty ? address : host, port: Int(port), within: limit)
        case .grpc(let port, let service):
            return await HealthProbe.check(host: address, port: Int(port), service: service, within: limit)
        case .http(let path, let port, let host, let headers, let isSecure):
            guard let port = spec.port(port) else { return "there is no port \"\(port)\"" }
            return await NetworkProbe.get(
                host: host.isEmpty ? address : host, port: Int(port), path: path,
                headers: headers.map { ($0.name, $0.value) }, isSecure: isSecure, within: limit)
        }
    }

    private func execute(_ command: [String], _ id: String, within limit: Duration) async -> String? {
        let request = Runtime_V1_ExecSyncRequest.with {
            $0.containerID = id
            $0.cmd = command
            $0.timeout = limit.components.seconds
        }
        do {
            // The runtime ends the command in time; this is for a runtime that does not. One that is away is waited for, as
            // that says nothing about the container: probes and hooks are meant to be run more than once.
            let answer = try await session.runtime.call(
                CRIMethods.execSync, request, within: limit + .seconds(10), patience: session.patience,
                to: "execute \(command)")
            guard answer.exitCode != 0 else { return nil }
            let said = String(decoding: (answer.stdout + answer.stderr).prefix(200), as: UTF8.self)
            let text = said.split(whereSeparator: \.isNewline).joined(separator: " ")
            return "exit code \(answer.exitCode)" + (text.isEmpty ? "" : ": \(text)")
        } catch {
            return "\(error)"
        }
    }
}
