import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Checkpoint: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the state of running containers to archives.",
        usage: "swiftlet checkpoint --export FILE CONTAINER ...",
        discussion: "Only for runtimes that can do it; swiftletd cannot, and says so.")

    @Option(name: .shortAndLong, help: "The archive to write, an absolute path on the runtime's machine.")
    var export: String

    @Argument(help: "Ids of containers, or beginnings of them.", completion: .containers)
    var containers: [String]

    func validate() throws {
        if !export.hasPrefix("/") { throw ValidationError("--export \"\(printable(export))\": not an absolute path") }
        if containers.count > 1 { throw ValidationError("one archive holds one container") }
    }

    func run(_ session: Session) async throws {
        for id in try await session.containerIDs(containers) {
            let request = Runtime_V1_CheckpointContainerRequest.with {
                $0.containerID = id
                $0.location = export
            }
            _ = try await session.runtime.call(
                CRIMethods.checkpointContainer, request, within: session.slow, to: "checkpoint container \"\(id)\"")
            try session.console.line(id)
        }
    }
}
