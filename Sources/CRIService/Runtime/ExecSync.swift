import CRIProto
import Foundation
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// A non-zero exit is no error of the call; running out of time is.
    func execSync(_ request: Runtime_V1_ExecSyncRequest) async throws -> Runtime_V1_ExecSyncResponse {
        let id = try Check.identifier(request.containerID, "container_id")
        let command = try Translate.command(request.cmd, "cmd")
        try Check.range(request.timeout, 0...Int64.max, "timeout")
        let timeout = request.timeout == 0 ? nil : Duration.seconds(min(request.timeout, Check.secondsMax))
        switch try await runtime.execSync(id, command: command, timeout: timeout) {
        case .exited(let code, let stdout, let stderr):
            return .with {
                $0.exitCode = code
                $0.stdout = Data(stdout)
                $0.stderr = Data(stderr)
            }
        case .timedOut:
            throw Fault(.deadlineExceeded, "exec: the command ran longer than \(request.timeout) s and was killed")
        }
    }
}
