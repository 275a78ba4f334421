import CLICore

/// The results of a run, in the forms that others read.
struct Report: Sendable {
    let runtime: String
    let version: String
    let results: [Result]

    var failures: [Result] {
        results.filter { if case .failed = $0.verdict { true } else { false } }
    }

    func count(_ name: String) -> Int { results.count { $0.verdict.name == name } }

    var summary: String {
        "\(runtime) \(version): \(count("passed")) passed, \(count("failed")) failed, \(count("skipped")) skipped"
    }

    /// Test Anything Protocol 14.
    var tap: String {
        var text = "TAP version 14\n1..\(results.count)\n"
        for (index, result) in results.enumerated() {
            let name = "\(index + 1) - \(result.test.id): \(result.test.rule)".replacing("#", with: "\\#")
            switch result.verdict {
            case .passed: text += "ok \(name)\n"
            case .skipped(let reason): text += "ok \(name) # SKIP \(oneLine(reason))\n"
            case .failed(let reason):
                text += "not ok \(name)\n  ---\n  message: '\(oneLine(reason).replacing("'", with: "''"))'\n  ...\n"
            }
        }
        return text
    }

    /// JUnit's XML.
    var junit: String {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"swiftlet-conformance\""
        text += " tests=\"\(results.count)\" failures=\"\(count("failed"))\" skipped=\"\(count("skipped"))\">\n"
        text += "<properties><property name=\"runtime\" value=\"\(escaped("\(runtime) \(version)"))\"/></properties>\n"
        for result in results {
            text += "<testcase classname=\"\(result.test.group)\" name=\"\(escaped(result.test.id))\""
            text += " time=\"\(seconds(result))\">"
            switch result.verdict {
            case .passed: break
            case .skipped(let reason): text += "<skipped message=\"\(escaped(reason))\"/>"
            case .failed(let reason): text += "<failure message=\"\(escaped(reason))\"/>"
            }
            text += "</testcase>\n"
        }
        return text + "</testsuite>\n"
    }

    var json: JSONValue {
        .object([
            .init("runtime", .string(runtime)), .init("version", .string(version)),
            .init("passed", .number("\(count("passed"))")), .init("failed", .number("\(count("failed"))")),
            .init("skipped", .number("\(count("skipped"))")),
            .init("cases", .array(results.map(Self.json))),
        ])
    }

    private static func json(_ result: Result) -> JSONValue {
        .object([
            .init("id", .string(result.test.id)), .init("rule", .string(result.test.rule)),
            .init("source", .string(result.test.source)),
            .init("proves", .array(result.test.proves.map { .string($0) })),
            .init("verdict", .string(result.verdict.name)), .init("reason", .string(result.verdict.reason)),
        ])
    }

    private func seconds(_ result: Result) -> String {
        let parts = result.duration.components
        return "\(parts.seconds).\(String(String(1000 + parts.attoseconds / 1_000_000_000_000_000).dropFirst()))"
    }

    private func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    private func escaped(_ text: String) -> String {
        String(
            text.unicodeScalars.flatMap { scalar -> [Character] in
                switch scalar {
                case "&": Array("&amp;")
                case "<": Array("&lt;")
                case ">": Array("&gt;")
                case "\"": Array("&quot;")
                case "\n", "\t": [" "]
                // XML 1.0 has no other control characters, not even as references.
                case _ where scalar.value < 0x20: ["?"]
                default: [Character(scalar)]
                }
            })
    }
}
