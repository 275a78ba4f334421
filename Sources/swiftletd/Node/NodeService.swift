import CRIProto
import CRIService
import GRPC
import Lifecycle
import Logging
import Model
import SwiftProtobuf
import SwiftletAPI

/// The handlers of `swiftlet.v1.Node`, our own service beside the CRI's: a file for each beside this one.
struct NodeService: Sendable {
    let configuration: LiveConfiguration
    let reloading: Reloading
    let operations: OperationLog
    let log: Logger

    /// What the server has beside the CRI's methods.
    func methods() -> [GRPCMethod] {
        [
            unary(NodeMethods.logLevel, logLevel),
            unary(NodeMethods.reload, reload),
            unary(NodeMethods.listOperations, listOperations),
        ]
    }

    /// Whether a method is answered before recovery is done: it touches no pod, and whoever looks why recovery takes so long
    /// needs it.
    static func isAnsweredWhileRecovering(_ path: String) -> Bool {
        path == NodeMethods.logLevel.path || path == HealthMethods.check.path || path == HealthMethods.watch.path
    }

    private func unary<Request, Response>(
        _ method: CRIMethod<Request, Response>, _ body: @escaping @Sendable (Request) async throws -> Response
    ) -> GRPCMethod {
        .unary(method.path) { request, _ in
            do {
                return try await body(request)
            } catch let fault as Fault {
                throw GRPCStatus(fault)
            }
        }
    }
}
