/// One rule of the CRI, and how to see whether a runtime keeps it.
struct Case: Sendable {
    /// "group.name", stable over versions.
    let id: String
    /// The rule, as a specification says it.
    let rule: String
    /// Where the rule is stated: the CRI's own text, or the client that depends on it.
    let source: String
    /// The calls, fields and reply fields that it proves: "StopContainer", "StopContainerRequest.timeout".
    let proves: [String]
    /// Whether it must not run beside others, as it looks at what all of them change.
    let isAlone: Bool
    let body: @Sendable (Trial) async throws -> Void

    init(
        _ id: String, _ rule: String, source: String, proves: [String], isAlone: Bool = false,
        body: @escaping @Sendable (Trial) async throws -> Void
    ) {
        self.id = id
        self.rule = rule
        self.source = source
        self.proves = proves
        self.isAlone = isAlone
        self.body = body
    }

    var group: String { String(id.prefix { $0 != "." }) }
}

/// Every case, in the order of the specification.
enum Catalogue {
    static let all: [Case] =
        errorCases + identityCases + imageCases + idempotenceCases + exitCases + logCases + processCases + mountCases
        + sandboxCases + streamingCases + resourceCases + statsCases + metricCases + eventCases + kubeletCases
        + kubeletNodeCases

    static var groups: [String] {
        all.reduce(into: []) { groups, next in
            if groups.last != next.group { groups.append(next.group) }
        }
    }
}
