import ArgumentParser
import CLICore
import CRIProto
import GRPC
import SwiftProtobuf

struct Events: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what happens to pods and containers, as it happens.",
        usage: "swiftlet events [OPTIONS]",
        discussion: "Goes on until it is interrupted or the runtime ends. JSON is one event a line.",
        aliases: ["event"])

    @Flag(name: .shortAndLong, help: "Go on when the runtime is back after it was away.")
    var follow = false

    @OptionGroup var output: Output<JSONFirst>

    func run(_ session: Session) async throws {
        if output.isTable { try session.console.out(EventLine.header) }
        while true {
            do {
                try await session.runtime.stream(
                    CRIMethods.getContainerEvents, .init(), to: "follow the events"
                ) { event in try show(event, on: session.console) }
                if !follow { return }
            } catch let failure as Failure where follow && failure.code == .unavailable {
                bestEffort { try session.console.err("swiftlet: \(printable(failure.message)); waiting for it\n") }
            }
            // Whatever the runtime answers, a connection that works is there again.
            _ = try await session.runtime.call(
                CRIMethods.version, .init(), within: session.quick, patience: .seconds(3600), to: "reach the runtime")
        }
    }

    private func show(_ event: Runtime_V1_ContainerEventResponse, on console: Console) throws {
        if output.isTable { return try console.out(EventLine.text(event)) }
        let tree = try JSONValue(message: event)
        switch output.output {
        case .json: try console.line(tree.compact)
        case .yaml: try console.out("---\n" + output.text(tree))
        default: try console.out(output.text(tree))
        }
    }
}

/// An event as a line of a table that has no end, so that the columns' widths are given beforehand.
private enum EventLine {
    static let header = line(["TIME", "EVENT", "CONTAINER", "NAME", "POD", "NAMESPACE", "DETAIL"])
    private static let widths = [30, 9, 15, 20, 20, 15]

    static func text(_ event: Runtime_V1_ContainerEventResponse) -> String {
        let pod = event.podSandboxStatus.metadata
        let container = event.containersStatuses.first { $0.id == event.containerID }
        let isPod = event.containerID == event.podSandboxStatus.id
        return line([
            rfc3339(event.createdAt), word(event.containerEventType), shortID(event.containerID),
            isPod ? "(pod)" : container?.metadata.name ?? "-", pod.name, pod.namespace,
            container.map(detail) ?? (isPod ? event.podSandboxStatus.state.word : ""),
        ])
    }

    private static func word(_ type: Runtime_V1_ContainerEventType) -> String {
        switch type {
        case .containerCreatedEvent: "created"
        case .containerStartedEvent: "started"
        case .containerStoppedEvent: "stopped"
        case .containerDeletedEvent: "deleted"
        case .UNRECOGNIZED(let number): "type \(number)"
        }
    }

    private static func detail(_ status: Runtime_V1_ContainerStatus) -> String {
        guard status.state == .containerExited else { return status.state.word }
        return "Exited \(status.exitCode)" + (status.reason.isEmpty ? "" : " \(status.reason)")
    }

    private static func line(_ cells: [String]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            let shown = printable(cell)
            let width = index < widths.count ? widths[index] : 0
            text += shown + String(repeating: " ", count: max(1, width - shown.count))
        }
        while text.hasSuffix(" ") { text.removeLast() }
        return text + "\n"
    }
}
