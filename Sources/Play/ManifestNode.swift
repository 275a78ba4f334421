import Yams

/// A value of a YAML document with the line that it stands on.
package struct ManifestNode: Sendable {
    package indirect enum Value: Sendable {
        case null
        case string(String)
        case bool(Bool)
        case number(String)
        case list([ManifestNode])
        case map([(name: String, node: ManifestNode)])
    }

    package var value: Value
    /// Counted from 1.
    package var line: Int

    /// Aliases may repeat a value; this bounds what a small file can grow to.
    private static let valuesMax = 100_000

    /// Reads all documents of a file; empty ones are left out.
    package static func documents(_ text: String) throws(ManifestError) -> [ManifestNode] {
        var count = 0
        do {
            var found: [ManifestNode] = []
            // Not compose_all: its sequence ends at a mistake without a word.
            let parser = try Yams.Parser(yaml: text)
            while let node = try parser.nextRoot() {
                let tree = try tree(node, line: 1, &count)
                if case .null = tree.value { continue }
                found.append(tree)
            }
            return found
        } catch let error as ManifestError {
            throw error
        } catch let error as YamlError {
            throw ManifestError(oneLine(error))
        } catch {
            throw ManifestError("\(error)")
        }
    }

    private static func tree(_ node: Node, line: Int, _ count: inout Int) throws(ManifestError) -> ManifestNode {
        count += 1
        guard count <= valuesMax else { throw ManifestError("more than \(valuesMax) values") }
        let line = node.mark?.line ?? line
        switch node {
        case .scalar(let scalar):
            return ManifestNode(value: value(scalar, Resolver.default.resolveTag(of: node)), line: line)
        case .sequence(let sequence):
            var items: [ManifestNode] = []
            for item in sequence { items.append(try tree(item, line: line, &count)) }
            return ManifestNode(value: .list(items), line: line)
        case .mapping(let mapping):
            var members: [(name: String, node: ManifestNode)] = []
            for (key, inner) in mapping {
                guard let name = key.scalar?.string else { throw ManifestError("line \(line): a key is not a word") }
                var member = try tree(inner, line: key.mark?.line ?? line, &count)
                member.line = key.mark?.line ?? member.line
                members.append((name, member))
            }
            return ManifestNode(value: .map(members), line: line)
        case .alias: throw ManifestError("line \(line): an alias refers to nothing")
        }
    }

    private static func value(_ scalar: Node.Scalar, _ tag: Tag.Name) -> Value {
        switch tag {
        case .null: .null
        case .bool: .bool(Bool.construct(from: scalar) ?? false)
        case .int: Int64.construct(from: scalar).map { .number(String($0)) } ?? .string(scalar.string)
        case .float: .number(scalar.string)
        default: .string(scalar.string)
        }
    }

    private static func oneLine(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line), column \(mark.column): \(problem)"
        default: "\(error)".split(separator: "\n").first.map(String.init) ?? "not YAML"
        }
    }

    /// What the value is, for error messages.
    package var kind: String {
        switch value {
        case .null: "null"
        case .string: "a string"
        case .bool: "a boolean"
        case .number: "a number"
        case .list: "a list"
        case .map: "an object"
        }
    }
}

/// What is wrong with a manifest, in a sentence.
package struct ManifestError: Error, Equatable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
