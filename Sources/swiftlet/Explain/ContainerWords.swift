import CLICore
import CRIProto
import SwiftletAPI

/// What is to be said of a container.
struct ContainerWords {
    private static let commandCharactersMax = 200

    private let status: Runtime_V1_ContainerStatus
    private let pod: Runtime_V1_PodSandbox?
    private let spec: JSONValue
    private let operations: [Swiftlet_V1_Operation]
    private let now: UnixNanoseconds

    init(
        _ status: Runtime_V1_ContainerStatus, pod: Runtime_V1_PodSandbox?, spec: JSONValue,
        operations: [Swiftlet_V1_Operation], now: UnixNanoseconds
    ) {
        self.status = status
        self.pod = pod
        self.spec = spec
        self.operations = operations
        self.now = now
    }

    var hasFailed: Bool { status.state == .containerExited && status.exitCode != 0 }

    var subject: [String] {
        let image = status.image.userSpecifiedImage.isEmpty ? status.image.image : status.image.userSpecifiedImage
        var lines = ["Container \(status.metadata.name) (\(shortID(status.id))), of the image \(image)"]
        if let pod {
            lines.append(
                "in the pod \(pod.metadata.namespace)/\(pod.metadata.name) (\(shortID(pod.id))), created "
                    + agoText(status.createdAt, now: now))
        }
        if status.metadata.attempt > 0 { lines.append("Restarted: this is attempt \(status.metadata.attempt)") }
        if case .array(let words)? = spec["process"]?["args"] {
            let command = words.compactMap(\.text).joined(separator: " ")
            let shown = command.count > Self.commandCharactersMax
            lines.append("Command: " + command.prefix(Self.commandCharactersMax) + (shown ? "..." : ""))
        }
        return lines
    }

    var state: [String] {
        switch status.state {
        case .containerRunning: ["Running since \(agoText(status.startedAt, now: now)) (\(rfc3339(status.startedAt)))"]
        case .containerCreated: created
        case .containerExited: exited
        default: ["Unknown: the runtime cannot say whether it runs"]
        }
    }

    private var created: [String] {
        let starts = operations.filter { $0.name == "StartContainer" && $0.containerID == status.id }
        guard let last = starts.last, !last.error.isEmpty else { return ["Created; nobody has started it"] }
        return ["Created; its start failed \(agoText(last.startedAt, now: now)): \(last.error)"]
    }

    private var exited: [String] {
        var line = "Exited \(agoText(status.finishedAt, now: now)) with code \(status.exitCode)"
        if !status.reason.isEmpty { line += ", \(status.reason)" }
        if status.startedAt > 0, status.finishedAt >= status.startedAt {
            line += ", after \(decimal(Double(status.finishedAt - status.startedAt) / 1e9, places: 3)) s"
        }
        var lines = [line]
        if !status.message.isEmpty { lines.append(status.message) }
        if let meaning { lines.append(meaning) }
        return lines
    }

    private var meaning: String? {
        if status.reason == "OOMKilled" {
            let limit = status.resources.linux.memoryLimitInBytes
            return "It needed more memory than its limit"
                + (limit > 0 ? " of \(limit >> 20) MiB" : "") + ", and the kernel killed it"
        }
        if status.reason == "SupervisorLost" {
            return "Its supervisor was killed, so that its real exit code is not known"
        }
        if status.reason == "StartError" { return "It never ran: its program could not be started" }
        switch status.exitCode {
        case 0: return nil
        case 125: return nil
        case 126: return "By custom: the command was found and could not be executed (no permission, or no program)"
        case 127: return "By custom: a shell did not find the command"
        case 130: return "A SIGINT ended it, as Ctrl-C sends it"
        case 137:
            return wasStopped
                ? "SIGKILL: it did not end within its grace period after it was asked to stop"
                : "SIGKILL: somebody killed it; the runtime was not asked to stop it"
        case 139: return "SIGSEGV: it touched memory that it does not have, a fault of the program"
        case 134: return "SIGABRT: it gave up by itself, as after a failed assertion"
        case 143: return wasStopped ? "SIGTERM: it was asked to stop, and did" : "SIGTERM: somebody asked it to end"
        case 129...192: return "Signal \(status.exitCode - 128) ended it"
        default: return "The program itself chose this code"
        }
    }

    private var wasStopped: Bool {
        operations.contains {
            ["StopContainer", "StopPodSandbox", "RemoveContainer", "RemovePodSandbox"].contains($0.name)
        }
    }
}
