import Model

/// What was found wrong with a manifest.
package final class ManifestProblems {
    /// Mistakes.
    package var errors: [String] = []
    /// Fields that mean something to a kubelet and nothing here.
    package var unhonoured: [String] = []

    package init() {}
}

/// The fields of one object. What nobody has asked for at `end()` is unknown.
final class ManifestFields {
    private let members: [(name: String, node: ManifestNode)]
    let path: String
    let line: Int
    let problems: ManifestProblems
    private var known: [String] = []

    init(_ node: ManifestNode, _ path: String, _ problems: ManifestProblems) {
        self.path = path
        line = node.line
        self.problems = problems
        if case .map(let members) = node.value {
            self.members = members
        } else {
            members = []
            problems.errors.append(
                "line \(node.line): \(path.isEmpty ? "the document" : path) is \(node.kind), not an object")
        }
    }

    // MARK: - Values

    func node(_ name: String) -> ManifestNode? {
        known.append(name)
        guard let node = members.first(where: { $0.name == name })?.node else { return nil }
        if case .null = node.value { return nil }
        return node
    }

    func string(_ name: String) -> String? {
        guard let node = node(name) else { return nil }
        return text(node, at(name))
    }

    func required(_ name: String) -> String {
        if let text = string(name), !text.isEmpty { return text }
        if !members.contains(where: { $0.name == name }) { error(name, "is missing") }
        return ""
    }

    func bool(_ name: String) -> Bool? {
        guard let node = node(name) else { return nil }
        if case .bool(let flag) = node.value { return flag }
        wrong(node, name, "true or false")
        return nil
    }

    func integer(_ name: String, _ range: ClosedRange<Int64> = 0...Int64(Int32.max)) -> Int64? {
        guard let node = node(name) else { return nil }
        guard case .number(let digits) = node.value, let number = Int64(digits) else {
            wrong(node, name, "a whole number")
            return nil
        }
        guard range.contains(number) else {
            problems.errors.append(
                "line \(node.line): \(at(name)) is \(number), not from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A number or a word as text: quantities and ports.
    func word(_ name: String) -> String? {
        guard let node = node(name) else { return nil }
        if case .number(let digits) = node.value { return digits }
        return text(node, at(name))
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ name: String, _ type: Value.Type) -> Value?
    where Value.RawValue == String {
        guard let text = string(name) else { return nil }
        if let value = Value(rawValue: text) { return value }
        error(name, "is \"\(text)\", not one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }

    func fields(_ name: String) -> ManifestFields? {
        node(name).map { ManifestFields($0, at(name), problems) }
    }

    func items(_ name: String) -> [(node: ManifestNode, path: String)] {
        guard let node = node(name) else { return [] }
        guard case .list(let items) = node.value else {
            wrong(node, name, "a list")
            return []
        }
        return items.enumerated().map { ($1, "\(at(name))[\($0)]") }
    }

    func objects(_ name: String) -> [ManifestFields] {
        items(name).map { ManifestFields($0.node, $0.path, problems) }
    }

    func strings(_ name: String) -> [String] { items(name).compactMap { text($0.node, $0.path) } }

    func map(_ name: String) -> [String: String] {
        guard let node = node(name) else { return [:] }
        guard case .map(let members) = node.value else {
            wrong(node, name, "an object of strings")
            return [:]
        }
        var map: [String: String] = [:]
        for member in members { map[member.name] = text(member.node, "\(at(name)).\(member.name)") }
        return map
    }

    /// An object of quantities, which may stand without quotes.
    func quantities(_ name: String) -> [String: String] {
        guard let fields = fields(name) else { return [:] }
        var map: [String: String] = [:]
        for member in fields.members { map[member.name] = fields.word(member.name) }
        return map
    }

    // MARK: - Judgement

    func error(_ name: String, _ what: String) {
        let line = members.first { $0.name == name }?.node.line ?? line
        problems.errors.append("line \(line): \(name.isEmpty ? path : at(name)) \(what)")
    }

    /// Fields that a kubelet honours and this program does not.
    func cannot(_ names: String...) {
        for name in names {
            guard let node = node(name) else { continue }
            if case .list(let items) = node.value, items.isEmpty { continue }
            if case .map(let members) = node.value, members.isEmpty { continue }
            if case .bool(false) = node.value { continue }
            problems.unhonoured.append("line \(node.line): \(at(name)) cannot be honoured")
        }
    }

    /// Fields that mean nothing for a single node.
    func ignore(_ names: String...) { known += names }

    func end() {
        for member in members where !known.contains(member.name) {
            let near = known.map { ($0, editDistance($0.lowercased(), member.name.lowercased())) }.min { $0.1 < $1.1 }
            let hint = near.flatMap { $0.1 <= 2 ? " (did you mean \($0.0)?)" : nil } ?? ""
            problems.errors.append("line \(member.node.line): unknown field \(at(member.name))\(hint)")
        }
    }

    private func at(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func text(_ node: ManifestNode, _ path: String) -> String? {
        if case .string(let text) = node.value { return text }
        if case .null = node.value { return "" }
        problems.errors.append("line \(node.line): \(path) is \(node.kind), not a string (put it in quotes)")
        return nil
    }

    private func wrong(_ node: ManifestNode, _ name: String, _ what: String) {
        problems.errors.append("line \(node.line): \(at(name)) is \(node.kind), not \(what)")
    }
}
