import CRIProto
import GRPC
import SwiftProtobuf
import SwiftletAPI

@testable import swiftlet

extension FakeWorld {
    /// Our own service beside the CRI's, as far as the commands ask for it.
    func nodeMethods() -> [GRPCMethod] {
        [
            method(NodeMethods.logLevel) { request, state throws(GRPCStatus) in
                if request.level == "loud" {
                    throw GRPCStatus(code: .invalidArgument, message: "level \"loud\" is none of trace, debug")
                }
                let previous = state.logLevel
                if !request.level.isEmpty { state.logLevel = request.level }
                return .with { ($0.level, $0.previous) = (state.logLevel, previous) }
            },
            method(NodeMethods.reload) { _, state in state.reload },
            method(NodeMethods.listOperations) { request, state in
                let id = request.id
                return .with {
                    $0.operations = state.operations.filter { $0.podID.hasPrefix(id) || $0.containerID.hasPrefix(id) }
                }
            },
        ]
    }
}
