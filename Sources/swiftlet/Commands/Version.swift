import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Version: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the versions of the runtime and of its interface.",
        usage: "swiftlet version [-o FORMAT]")

    @OptionGroup var output: Output<TableFirst>

    func run(_ session: Session) async throws {
        let request = Runtime_V1_VersionRequest.with { $0.version = "v1" }
        let response = try await session.runtime.call(
            CRIMethods.version, request, within: session.quick, to: "ask for the version")
        guard output.isTable else { return try session.console.out(output.text(JSONValue(message: response))) }
        let lines = [
            ("Version", response.version), ("RuntimeName", response.runtimeName),
            ("RuntimeVersion", response.runtimeVersion), ("RuntimeApiVersion", response.runtimeApiVersion),
        ]
        // The two spaces are crictl's; scripts cut at them.
        for (name, value) in lines { try session.console.line("\(name):  \(printable(value))") }
    }
}
