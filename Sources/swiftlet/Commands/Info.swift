import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Info: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the runtime's conditions, handlers and configuration.",
        usage: "swiftlet info [-q] [-o FORMAT]")

    @OptionGroup var output: Output<JSONFirst>

    @Flag(name: .shortAndLong, help: "Leave out the verbose part.")
    var quiet = false

    func run(_ session: Session) async throws {
        let response = try await session.runtime.call(
            CRIMethods.status, .with { $0.verbose = !quiet }, within: session.quick, to: "ask for the status")
        guard output.isTable else { return try session.console.out(output.text(try tree(response))) }
        var table = Table(["CONDITION", "STATUS", "REASON", "MESSAGE"])
        for condition in response.status.conditions {
            table.add([condition.type, condition.status ? "true" : "false", condition.reason, condition.message])
        }
        try session.console.out(table.text)
    }

    private func tree(_ response: Runtime_V1_StatusResponse) throws -> JSONValue {
        var members = [JSONValue.Member("status", try JSONValue(message: response.status))]
        let handlers = try response.runtimeHandlers.map { try JSONValue(message: $0) }
        if !handlers.isEmpty { members.append(.init("runtimeHandlers", .array(handlers))) }
        if response.hasFeatures { members.append(.init("features", try JSONValue(message: response.features))) }
        return .object(members + VerboseInfo.members(response.info))
    }
}
