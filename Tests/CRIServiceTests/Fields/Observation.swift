import CRIProto
import Foundation
import GRPC
import Lifecycle
import Model
import SwiftProtobuf
import Synchronization
import TestFakes
import TestKit

/// All that a request changed, by channel; or how it was refused.
enum Observation: Sendable, Equatable {
    case happened([Channel: String])
    case refused(GRPCStatus.Code, String)

    /// What the request of a method does on a fresh node, and the objects around it to their end.
    static func of(_ method: String, _ request: JSON) async throws -> Observation {
        try await Fixture.run { fixture in
            switch method {
            case "RunPodSandbox": return try await fixture.observePod(request)
            case "CreateContainer": return try await fixture.observeContainer(request)
            case "UpdateContainerResources": return try await fixture.observeUpdate(request)
            case "UpdatePodSandboxResources": return try await fixture.observePodUpdate(request)
            case "Exec", "Attach", "PortForward": return try await fixture.observeStreaming(method, request)
            default: return try await fixture.observePull(request)
            }
        }
    }
}

extension Fixture {
    private static let privilegedPod = Requests.pod.with("config.linux.security_context.privileged", true)

    /// The pod, a container in it, and whether it admits a privileged one.
    fileprivate func observePod(_ request: JSON) async throws -> Observation {
        let outcome = try await call("RunPodSandbox", request)
        guard outcome.isOK else {
            try expectNothingLeft("RunPodSandbox")
            return .refused(outcome.code, outcome.message)
        }
        let pod = try Runtime_V1_RunPodSandboxResponse(jsonString: outcome.response).podSandboxID
        let config = Requests.container.with("log_path", "main.log")
        let created = try await call("CreateContainer", ["pod_sandbox_id": .string(pod), "config": config])
        guard created.isOK else { throw TestFailure("CreateContainer: \(created.message)") }
        let container = try Runtime_V1_CreateContainerResponse(jsonString: created.response).containerID
        let started = try await call("StartContainer", ["container_id": .string(container)])
        guard started.isOK else { throw TestFailure("StartContainer: \(started.message)") }
        let privileged = config.with("linux.security_context.privileged", true).with("metadata.name", "privileged")
        let admission = try await call("CreateContainer", ["pod_sandbox_id": .string(pod), "config": privileged])
        recorder.add(.admission, "\(admission.code)")
        try await addPodStatus(pod)
        try await clear([pod])
        return .happened(normalised([pod: "POD", container: "CONTAINER"]))
    }

    /// The container: created, started, a command run in it, shown, stopped, removed.
    fileprivate func observeContainer(_ template: JSON) async throws -> Observation {
        let pod = try await runPod(Self.privilegedPod)
        let other = try await runPod(Self.privilegedPod.with("config.metadata.name", "other"))
        let target = try await container(in: pod, named: "target", start: true)
        let second = try await container(in: pod, named: "second", start: true)
        let names = ["$POD": pod, "$OTHERPOD": other, "$TARGET": target, "$SECOND": second]
        recorder.clear()
        let before = node.leftovers
        let outcome = try await call("CreateContainer", template.replacing(names))
        guard outcome.isOK else {
            guard node.leftovers == before else { throw TestFailure("CreateContainer left \(node.leftovers)") }
            try await clear([pod, other])
            return .refused(outcome.code, outcome.message)
        }
        let id = try Runtime_V1_CreateContainerResponse(jsonString: outcome.response).containerID
        for (method, request): (String, JSON) in [
            ("StartContainer", ["container_id": .string(id)]),
            ("ExecSync", ["container_id": .string(id), "cmd": ["/bin/true"]]),
        ] {
            let outcome = try await call(method, request)
            guard outcome.isOK else { throw TestFailure("\(method): \(outcome.message)") }
        }
        try await addAttachPoint(id)
        try await addContainerStatus(id)
        _ = try await call("StopContainer", ["container_id": .string(id), "timeout": 30])
        try await clear([pod, other])
        // In which pod it is shows in its list entry; so pods keep different names.
        return .happened(normalised([pod: "POD", other: "OTHER", id: "CONTAINER", target: "TARGET", second: "SECOND"]))
    }

    fileprivate func observeUpdate(_ template: JSON) async throws -> Observation {
        let pod = try await runPod()
        let id = try await container(in: pod, start: true)
        recorder.clear()
        let outcome = try await call(
            "UpdateContainerResources",
            template.replacing(["$CONTAINER": id, "$UNKNOWN": String(repeating: "0", count: 64)]))
        if outcome.code == .notFound { recorder.add(.status, outcome.message) }
        guard outcome.isOK || outcome.code == .notFound else {
            try await clear([pod])
            return .refused(outcome.code, outcome.message)
        }
        try await addContainerStatus(id)
        try await clear([pod])
        return .happened(normalised([pod: "POD", id: "CONTAINER"]))
    }

    fileprivate func observePodUpdate(_ template: JSON) async throws -> Observation {
        let pod = try await runPod()
        recorder.clear()
        let outcome = try await call(
            "UpdatePodSandboxResources",
            template.replacing(["$POD": pod, "$UNKNOWN": String(repeating: "0", count: 64)]))
        guard outcome.isOK || outcome.code == .notFound else {
            try await clear([pod])
            return .refused(outcome.code, outcome.message)
        }
        try await addPodStatus(pod)
        try await clear([pod])
        return .happened(normalised([pod: "POD"]))
    }

    /// Where the URL of a streaming method leads, in a pod with a running container that has all streams.
    fileprivate func observeStreaming(_ method: String, _ template: JSON) async throws -> Observation {
        let pod = try await runPod()
        let config = Requests.container.with("tty", true).with("stdin", true)
        let created = try await call("CreateContainer", ["pod_sandbox_id": .string(pod), "config": config])
        guard created.isOK else { throw TestFailure("CreateContainer: \(created.message)") }
        let id = try Runtime_V1_CreateContainerResponse(jsonString: created.response).containerID
        let started = try await call("StartContainer", ["container_id": .string(id)])
        guard started.isOK else { throw TestFailure("StartContainer: \(started.message)") }
        recorder.clear()
        let unknown = String(repeating: "0", count: 64)
        let outcome = try await call(
            method, template.replacing(["$POD": pod, "$CONTAINER": id, "$UNKNOWN": unknown]))
        if outcome.code == .notFound { recorder.add(.streamTarget, outcome.message) }
        guard outcome.isOK || outcome.code == .notFound else {
            try await clear([pod])
            return .refused(outcome.code, outcome.message)
        }
        try await clear([pod])
        return .happened(normalised([pod: "POD", id: "CONTAINER"]))
    }

    fileprivate func observePull(_ request: JSON) async throws -> Observation {
        let outcome = try await call("PullImage", request)
        guard outcome.isOK else { return .refused(outcome.code, outcome.message) }
        for pull in images.state.withLock({ $0.pulls }) { recorder.add(.pull, "\(pull.reference) \(pull.credentials)") }
        return .happened(normalised([:]))
    }

    // MARK: Parts

    private func addPodStatus(_ pod: String) async throws {
        let id = JSON.string(pod)
        recorder.add(.status, try await call("PodSandboxStatus", ["pod_sandbox_id": id]).response)
        recorder.add(.info, try await call("PodSandboxStatus", ["pod_sandbox_id": id, "verbose": true]).response)
        recorder.add(.list, try await call("ListPodSandbox").response)
    }

    private func addAttachPoint(_ id: String) async throws {
        guard let id = ContainerID(id) else { throw TestFailure("\"\(id)\" is no id") }
        let point = try await runtime.attach(to: id) { $0 }
        recorder.add(.attachPoint, "tty \(point.tty) stdin \(point.stdin) once \(point.stdinOnce)")
    }

    /// The record of a verbose status is looked at without the description and the plan, which have channels of their own.
    private func addContainerStatus(_ id: String) async throws {
        recorder.add(.status, try await call("ContainerStatus", ["container_id": .string(id)]).response)
        recorder.add(.list, try await call("ListContainers", ["filter": ["id": .string(id)]]).response)
        let verbose: Runtime_V1_ContainerStatusResponse = try await send(CRIMethods.containerStatus) {
            $0.containerID = id
            $0.verbose = true
        }
        recorder.add(.info, verbose.info["record"] ?? "none")
    }

    /// Removes pods with all in them; nothing of them may remain.
    private func clear(_ pods: [String]) async throws {
        for pod in pods {
            let outcome = try await call("RemovePodSandbox", ["pod_sandbox_id": .string(pod)])
            guard outcome.isOK else { throw TestFailure("RemovePodSandbox: \(outcome.message)") }
        }
        try expectNothingLeft("RemovePodSandbox")
    }

    private func expectNothingLeft(_ method: String) throws {
        guard node.leftovers.isEmpty else { throw TestFailure("\(method) left \(node.leftovers)") }
    }

    /// What was recorded, free of ids and times.
    private func normalised(_ ids: [String: String]) -> [Channel: String] {
        recorder.all.mapValues { text in
            var text = text
            for (id, name) in ids { text = text.replacingOccurrences(of: id, with: name) }
            return text.replacingOccurrences(
                of: "(created_?[aA]t|started_?[aA]t|finished_?[aA]t|timestamp)(\\\\?\"):\\\\?\"?[0-9]+\\\\?\"?",
                with: "$1",
                options: .regularExpression)
        }
    }
}
