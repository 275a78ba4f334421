import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

/// What the output of a command looks like.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json, yaml

    /// The tree in a format that is not a table.
    func text(_ value: JSONValue) throws -> String {
        switch self {
        case .yaml: try YAMLTree.text(value)
        case .json, .table: value.pretty + "\n"
        }
    }
}
