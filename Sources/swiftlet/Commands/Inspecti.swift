import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Inspecti: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show all that is known of images.",
        usage: "swiftlet inspecti [OPTIONS] IMAGE ...")

    @Argument(help: "Names, digests or ids of images.")
    var names: [String]

    @Option(name: .shortAndLong, help: "The format: json, yaml or table.")
    var output = OutputFormat.json

    @Flag(name: .shortAndLong, help: "Leave out the verbose part.")
    var quiet = false

    func run(_ session: Session) async throws {
        var results: [JSONValue] = []
        for name in names {
            let request = Runtime_V1_ImageStatusRequest.with {
                $0.image.image = name
                $0.verbose = !quiet
            }
            let response = try await session.images.call(
                CRIMethods.imageStatus, request, within: session.quick, to: "look up image \"\(name)\"")
            guard response.hasImage else { throw Failure("there is no image \"\(printable(name))\"") }
            if output == .table {
                try session.console.out(ImageSheet(response, verbose: !quiet).text)
            } else {
                results.append(try InspectTree.tree(response.image, response.info))
            }
        }
        if !results.isEmpty { try session.console.out(output.text(InspectTree.list(results))) }
    }
}
