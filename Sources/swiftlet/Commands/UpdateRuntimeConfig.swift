import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct UpdateRuntimeConfig: RuntimeCommand {
    static let configuration = CommandConfiguration(
        commandName: "update-runtime-config",
        abstract: "Tell the runtime the address range of this node's pods.",
        usage: "swiftlet update-runtime-config --pod-cidr CIDR")

    @Option(name: .shortAndLong, help: "The range, such as 10.88.0.0/16; two of them with a comma between.")
    var podCidr: String

    func run(_ session: Session) async throws {
        _ = try await session.runtime.call(
            CRIMethods.updateRuntimeConfig, .with { $0.runtimeConfig.networkConfig.podCidr = podCidr },
            within: session.slow, to: "update the runtime's configuration")
    }
}
