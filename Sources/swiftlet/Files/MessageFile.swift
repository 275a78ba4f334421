import CLICore
import CRIProto
import Foundation
import Model
import SwiftProtobuf

/// Reads a CRI message from a file as crictl does: JSON or YAML, field names as in the .proto file or in lower camel case.
///
/// The tree is checked against the interface first, because protobuf's own decoder says neither where a wrong field stands
/// nor what was meant.
enum MessageFile {
    static func read<M: SwiftProtobuf.Message>(_ type: M.Type, from path: String) throws(Failure) -> M {
        let tree = try ConfigurationFile.read(path)
        let name = M.protoMessageName.split(separator: ".").last.map(String.init) ?? ""
        guard let shape = MessageShape.of(name) else { throw Failure("\(path): \(name) is not a message of the CRI") }
        guard tree != .null else { throw Failure("\(path): the file is empty") }
        var problems: [String] = []
        let clean = checked(tree, against: shape, at: "", &problems)
        guard problems.isEmpty else { throw Failure("\(path): " + problems.prefix(5).joined(separator: "; ")) }
        do {
            return try M(jsonString: clean.compact)
        } catch {
            throw Failure("\(path): not a \(name): \(error)")
        }
    }

    // MARK: - Checks

    /// The tree with fields under protobuf's JSON names and nulls taken out.
    private static func checked(
        _ tree: JSONValue, against shape: MessageShape, at path: String, _ problems: inout [String]
    ) -> JSONValue {
        guard case .object(let members) = tree else {
            problems.append("\(path.isEmpty ? "the file" : path) is \(tree.kind), not an object")
            return tree
        }
        var seen: Set<String> = []
        var result: [JSONValue.Member] = []
        for member in members {
            let here = path.isEmpty ? printable(member.name) : "\(path).\(printable(member.name))"
            guard let field = shape.field(named: member.name) else {
                problems.append("unknown field \(here)\(suggestion(for: member.name, in: shape))")
                continue
            }
            guard seen.insert(field.jsonName).inserted else {
                problems.append("\(here) is given twice")
                continue
            }
            if member.value == .null { continue }
            let isEnvironmentValue = shape.name == "KeyValue" && field.kind == .bytes
            let value = checked(member.value, in: field, at: here, isEnvironmentValue, &problems)
            result.append(.init(field.jsonName, value))
        }
        return .object(result)
    }

    private static func checked(
        _ value: JSONValue, in field: MessageShape.Field, at path: String, _ isEnvironmentValue: Bool,
        _ problems: inout [String]
    ) -> JSONValue {
        switch (field.form, value) {
        case (.map, .object(let members)):
            for member in members where member.value.text == nil {
                problems.append(
                    "\(path).\(printable(member.name)) is \(member.value.kind), not a string (put it in quotes)")
            }
            return value
        case (.map, _):
            problems.append("\(path) is \(value.kind), not an object of strings")
            return value
        case (.repeated, .array(let items)):
            return .array(
                items.enumerated().map { index, item in
                    checked(single: item, field.kind, at: "\(path)[\(index)]", isEnvironmentValue, &problems)
                })
        case (.repeated, _):
            problems.append("\(path) is \(value.kind), not a list")
            return value
        case (.single, _): return checked(single: value, field.kind, at: path, isEnvironmentValue, &problems)
        }
    }

    private static func checked(
        single value: JSONValue, _ kind: MessageShape.Kind, at path: String, _ isEnvironmentValue: Bool,
        _ problems: inout [String]
    ) -> JSONValue {
        func expect(_ what: String) -> JSONValue {
            problems.append("\(path) is \(value.kind), not \(what)")
            return value
        }
        switch (kind, value) {
        case (.message(let name), _):
            guard let shape = MessageShape.of(name) else { return expect("of this program's interface") }
            return checked(value, against: shape, at: path, &problems)
        case (.string, .string), (.bool, .bool), (.integer64, .number): return value
        // Configuration files carry values of environment variables as they are, although the field is bytes.
        case (.bytes, .string(let text)):
            return isEnvironmentValue ? .string(Data(text.utf8).base64EncodedString()) : value
        case (.number, .number), (.enumeration, .number): return value
        case (.integer64, .string(let text)) where Int64(text) != nil || UInt64(text) != nil: return value
        case (.enumeration(let names), .string(let text)):
            if !names.contains(text) {
                problems.append(
                    "\(path) is \"\(printable(text))\", not one of \(names.prefix(8).joined(separator: ", "))")
            }
            return value
        case (.string, _): return expect("a string (put it in quotes)")
        case (.bytes, _): return expect("a string")
        case (.bool, _): return expect("true or false")
        case (.number, _), (.integer64, _): return expect("a number")
        case (.enumeration, _): return expect("a name or a number")
        }
    }

    // MARK: - Suggestions

    private static func suggestion(for name: String, in shape: MessageShape) -> String {
        let near = shape.fields.map { ($0.protoName, editDistance(name.lowercased(), $0.protoName.lowercased())) }
            .min { $0.1 < $1.1 }
        guard let near, near.1 <= 2 else { return "" }
        return " (did you mean \(near.0)?)"
    }
}
