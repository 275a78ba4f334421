import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// Answers with a URL; the command starts when a client comes there.
    func exec(_ request: Runtime_V1_ExecRequest) throws(Fault) -> Runtime_V1_ExecResponse {
        let id = try Check.identifier(request.containerID, "container_id")
        let command = try Translate.command(request.cmd, "cmd")
        let streams = try StreamSelection(
            stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty
        ).checked()
        let container = try runtime.runningContainer(id, operation: "exec")
        let url = try streaming.execURL(container.record.id, command: command, streams)
        return .with { $0.url = url }
    }
}
