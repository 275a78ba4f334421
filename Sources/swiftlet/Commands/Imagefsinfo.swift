import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Imagefsinfo: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what images and writable layers take of the disk.",
        usage: "swiftlet imagefsinfo [-o FORMAT]")

    @OptionGroup var output: Output<JSONFirst>

    func run(_ session: Session) async throws {
        let response = try await session.images.call(
            CRIMethods.imageFsInfo, .init(), within: session.quick, to: "ask for the image filesystem")
        guard output.isTable else {
            return try session.console.out(output.text(.object([.init("status", try JSONValue(message: response))])))
        }
        var table = Table(["KIND", "MOUNTPOINT", "USED", "INODES"])
        for (kind, systems) in [
            ("images", response.imageFilesystems), ("containers", response.containerFilesystems),
        ] {
            for system in systems {
                table.add([
                    kind, system.fsID.mountpoint, sizeText(system.usedBytes.value), String(system.inodesUsed.value),
                ])
            }
        }
        try session.console.out(table.text)
    }
}
