import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Images: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "List images.",
        usage: "swiftlet images [OPTIONS] [NAME]",
        aliases: ["image", "img"])

    @Argument(help: "Only the image with this name, digest or id.", completion: .images)
    var name: String?

    @Flag(name: .shortAndLong, help: "Print ids only.")
    var quiet = false

    @Flag(help: "Show digests.")
    var digests = false

    @Flag(help: "Show whether images are pinned.")
    var pinned = false

    @Flag(name: .shortAndLong, help: "Show what there is to each image, one below the other.")
    var verbose = false

    @Flag(help: "Show ids in full.")
    var noTrunc = false

    @Option(
        name: .shortAndLong, parsing: .singleValue,
        help: "Only images that fit: dangling=true|false, reference=REGEX, before=IMAGE, since=IMAGE. May be repeated.")
    var filter: [String] = []

    @OptionGroup var output: Output<TableFirst>

    func run(_ session: Session) async throws {
        let filters = try ImageFilter.parse(filter)
        let images = try await session.images(named: name ?? "", that: filters)
        if !output.isTable {
            let response = Runtime_V1_ListImagesResponse.with { $0.images = images }
            try session.console.out(output.text(JSONValue(message: response)))
        } else if quiet {
            for image in images { try session.console.line(printable(image.id)) }
        } else if verbose {
            for image in images {
                let response = Runtime_V1_ImageStatusResponse.with { $0.image = image }
                try session.console.out(ImageSheet(response, verbose: false).text + "\n")
            }
        } else {
            try session.console.out(table(images))
        }
    }

    private func table(_ images: [Runtime_V1_Image]) -> String {
        let (digests, pinned) = (digests || output.isWide, pinned || output.isWide)
        var table = Table(
            ["IMAGE", "TAG"] + (digests ? ["DIGEST"] : []) + ["IMAGE ID", "SIZE"] + (pinned ? ["PINNED"] : []))
        for image in images {
            for (repository, tag) in image.names {
                var row = [repository, tag]
                if digests { row.append(noTrunc ? image.digest : shortID(image.digest)) }
                row += [noTrunc ? image.id : shortID(image.id), sizeText(image.size)]
                if pinned { row.append(image.pinned ? "true" : "false") }
                table.add(row)
            }
        }
        return table.text
    }
}

extension Session {
    /// The images with a name, or all, that all filters let pass, sorted by name.
    func images(named name: String, that filters: [ImageFilter]) async throws -> [Runtime_V1_Image] {
        func key(_ image: Runtime_V1_Image) -> String {
            image.repoTags.first ?? image.repoDigests.first ?? image.id
        }
        let listed = try await images(named: name).sorted { key($0) < key($1) }
        return try filters.reduce(listed) { try $1.apply(to: $0) }
    }
}

extension Runtime_V1_Image {
    /// Repository and tag, one pair per tag; an image without a tag has the repository of its digest.
    var names: [(repository: String, tag: String)] {
        let none = "<none>"
        guard !repoTags.isEmpty else {
            let repository = repoDigests.first?.split(separator: "@").first.map(String.init)
            return [(repository ?? none, none)]
        }
        return repoTags.map { name in
            guard let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") else { return (name, none) }
            return (String(name[..<colon]), String(name[name.index(after: colon)...]))
        }
    }

    /// The digest that a registry knows it by.
    var digest: String {
        repoDigests.first?.split(separator: "@").last.map(String.init) ?? "<none>"
    }
}
