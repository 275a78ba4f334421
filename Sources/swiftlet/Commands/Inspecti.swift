import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Inspecti: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show all that is known of images.",
        usage: "swiftlet inspecti [OPTIONS] IMAGE ... | --filter CONDITION ...")

    @Argument(help: "Names, digests or ids of images.", completion: .images)
    var names: [String] = []

    @Option(help: "The image with this name, digest or id.")
    var name: String?

    @Option(name: .shortAndLong, parsing: .singleValue, help: "The images that fit, as for images. May be repeated.")
    var filter: [String] = []

    @OptionGroup var output: Output<JSONFirst>

    @Flag(name: .shortAndLong, help: "Leave out the verbose part.")
    var quiet = false

    func validate() throws {
        if names.isEmpty == (name == nil && filter.isEmpty) {
            throw ValidationError("expected either images or --name and --filter")
        }
    }

    func run(_ session: Session) async throws {
        var results: [JSONValue] = []
        for name in try await chosen(session) {
            let request = Runtime_V1_ImageStatusRequest.with {
                $0.image.image = name
                $0.verbose = !quiet
            }
            let response = try await session.images.call(
                CRIMethods.imageStatus, request, within: session.quick, to: "look up image \"\(name)\"")
            guard response.hasImage else { throw Failure("there is no image \"\(printable(name))\"") }
            if output.isTable {
                try session.console.out(ImageSheet(response, verbose: !quiet).text)
            } else {
                results.append(try InspectTree.tree(response.image, response.info))
            }
        }
        if !results.isEmpty { try session.console.out(output.text(InspectTree.list(results))) }
    }

    private func chosen(_ session: Session) async throws -> [String] {
        guard names.isEmpty else { return names }
        let filters = try ImageFilter.parse(filter)
        return try await session.images(named: name ?? "", that: filters).map(\.id)
    }
}
