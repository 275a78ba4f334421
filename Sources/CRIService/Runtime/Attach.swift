import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// Answers with a URL; a client that comes there joins the container's streams.
    ///
    /// Without `tty` a terminal's output comes all the same, without a way to set its size.
    func attach(_ request: Runtime_V1_AttachRequest) throws(Fault) -> Runtime_V1_AttachResponse {
        let id = try Check.identifier(request.containerID, "container_id")
        let streams = try StreamSelection(
            stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty
        ).checked()
        let container = try runtime.runningContainer(id, operation: "attach")
        guard !request.tty || container.record.config.tty else {
            throw .invalid("tty: the container \"\(container.record.id.short)\" has no terminal")
        }
        let url = try streaming.attachURL(container.record.id, streams)
        return .with { $0.url = url }
    }
}
