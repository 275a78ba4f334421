import ArgumentParser
import CLICore

/// What the output of a command looks like.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, wide, json, yaml
    case template = "go-template"
}

/// The format that a command has without -o.
protocol StandardFormat: Sendable {
    static var format: OutputFormat { get }
}

enum TableFirst: StandardFormat {
    static let format = OutputFormat.table
}

enum JSONFirst: StandardFormat {
    static let format = OutputFormat.json
}

/// -o and what belongs to it.
struct Output<Standard: StandardFormat>: ParsableArguments {
    @Option(name: .shortAndLong, help: "The format: table, wide, json, yaml or go-template.")
    var output = Standard.format

    @Option(help: "What -o go-template shows, in the language of Go's text/template.")
    var template: String?

    func validate() throws {
        if output == .template, template == nil { throw ValidationError("-o go-template needs --template") }
        if output != .template, template != nil { throw ValidationError("--template goes with -o go-template") }
        guard let template else { return }
        do { _ = try Template(parsing: template) } catch { throw ValidationError(error.message) }
    }

    /// Whether people shall read it; -o wide shows more of it where there is more.
    var isTable: Bool { output == .table || output == .wide }

    var isWide: Bool { output == .wide }

    /// The tree in a format that is not a table.
    func text(_ value: JSONValue) throws -> String {
        switch output {
        case .yaml: return try YAMLTree.text(value)
        case .json, .table, .wide: return value.pretty + "\n"
        case .template:
            let text = try Template(parsing: template ?? "").text(value)
            return text.hasSuffix("\n") ? text : text + "\n"
        }
    }
}
