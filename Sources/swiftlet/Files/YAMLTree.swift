import CLICore
import Yams

/// YAML as the same tree that JSON becomes, and back.
enum YAMLTree {
    /// Aliases may repeat a value; this bounds what a small file can grow to.
    private static let valuesMax = 100_000

    /// Reads the first document; an empty one is null.
    static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure("not UTF-8") }
        do {
            guard let node = try Yams.compose(yaml: text) else { return .null }
            var count = 0
            return try tree(node, count: &count)
        } catch let failure as Failure {
            throw failure
        } catch let error as YamlError {
            throw Failure(oneLine(error))
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Writes a tree as a YAML document.
    static func text(_ value: JSONValue) throws -> String {
        try Yams.serialize(
            node: node(value), width: -1, allowUnicode: true, sequenceStyle: .block, mappingStyle: .block)
    }

    // MARK: - Nodes

    private static func tree(_ node: Node, count: inout Int) throws(Failure) -> JSONValue {
        count += 1
        guard count <= valuesMax else { throw Failure("more than \(valuesMax) values") }
        switch node {
        case .scalar(let scalar): return value(of: scalar, tag: Resolver.default.resolveTag(of: node))
        case .sequence(let sequence):
            var items: [JSONValue] = []
            for item in sequence { items.append(try tree(item, count: &count)) }
            return .array(items)
        case .mapping(let mapping):
            var members: [JSONValue.Member] = []
            for (key, inner) in mapping {
                guard let name = key.scalar?.string else { throw Failure("a key is not a word") }
                members.append(.init(name, try tree(inner, count: &count)))
            }
            return .object(members)
        case .alias: throw Failure("an alias refers to nothing")
        }
    }

    private static func value(of scalar: Node.Scalar, tag: Tag.Name) -> JSONValue {
        let text = scalar.string
        return switch tag {
        case .null: .null
        case .bool: .bool(Bool.construct(from: scalar) ?? false)
        case .int: Int64.construct(from: scalar).map(JSONValue.number) ?? .string(text)
        case .float: Double(text).map { $0.isFinite ? .number(String($0)) : .string(text) } ?? .string(text)
        default: .string(text)
        }
    }

    private static func node(_ value: JSONValue) -> Node {
        switch value {
        case .null: Node("null")
        case .bool(let flag): Node(flag ? "true" : "false")
        case .number(let digits): Node(digits)
        case .string(let text): Node(text, Tag(.str), isPlain(text) ? .any : .doubleQuoted)
        case .array(let items): Node(items.map(node))
        case .object(let members): Node(members.map { (node(.string($0.name)), node($0.value)) })
        }
    }

    /// Whether YAML would read the text without quotes as the same text.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && Resolver.default.resolveTag(of: Node(text)) == .str
    }

    private static func oneLine(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line), column \(mark.column): \(problem)"
        default: "\(error)".split(separator: "\n").first.map(String.init) ?? "not YAML"
        }
    }
}
