import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look for what keeps pods from running on this node, and say how to mend it.",
        usage: "swiftlet doctor [OPTIONS]",
        discussion: """
            Reads only; run it as root to see everything. Ends with 0 if nothing is broken, with 1 if something is; with \
            --strict warnings count as well.
            """)

    @Flag(help: "End with 1 for warnings too.")
    var strict = false

    @Flag(name: .shortAndLong, help: "Show errors and warnings only.")
    var quiet = false

    @OptionGroup var output: Output<TableFirst>

    func run() async throws {
        guard let context = CommandContext.current else { throw Failure("the command runs outside of the program") }
        let setting = await RuntimeInterview.setting(try context.configuration(), console: context.console)
        let all = Examination.findings(ThisNode(), setting)
        try report(all, on: context.console)
    }

    /// Shows findings and ends with the status that they mean.
    func report(_ all: [Finding], on console: Console) throws {
        let shown = all.filter { !quiet || $0.severity > .note }.sorted { $0.severity > $1.severity }
        if output.isTable {
            for finding in shown { try console.out(text(finding, isColoured: console.hasColours)) }
            let counts = Finding.Severity.allCases.reversed().map { severity in
                let count = all.count { $0.severity == severity }
                return "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
            }
            try console.line(counts.joined(separator: ", "))
        } else {
            try console.out(output.text(.object([.init("findings", .array(shown.map(\.tree)))])))
        }
        let limit: Finding.Severity = strict ? .warning : .error
        if all.contains(where: { $0.severity >= limit }) { throw Failure.silent(exitStatus: Failure.failed) }
    }

    private func text(_ finding: Finding, isColoured: Bool) -> String {
        let colour = isColoured ? ["note": "36", "warning": "33", "error": "31"][finding.severity.rawValue] : nil
        let word = colour.map { "\u{1b}[\($0)m\(finding.severity.rawValue)\u{1b}[0m" } ?? finding.severity.rawValue
        return """
            \(word): \(finding.area.rawValue): \(printable(finding.what))
                breaks: \(printable(finding.breaks))
                mend:   \(printable(finding.mend))

            """
    }
}

/// Asks the runtime what `doctor` wants to know of it.
enum RuntimeInterview {
    static func setting(_ configuration: ClientConfiguration, console: Console) async -> NodeSetting {
        var setting = NodeSetting()
        setting.socket = configuration.runtimeEndpoint.path
        do {
            try await Session.run(configuration, console: console) { session in
                let version = try await session.runtime.call(
                    CRIMethods.version, .init(), within: session.quick, to: "ask for the version")
                let status = try await session.runtime.call(
                    CRIMethods.status, .with { $0.verbose = true }, within: session.quick, to: "ask for the status")
                if let shown = status.info["config"] { setting.take(VerboseInfo.value(shown)) }
                setting.answer = .status(
                    name: version.runtimeName, version: version.runtimeVersion,
                    unready: status.status.conditions.filter { !$0.status }.map { condition in
                        [condition.type + " is false", condition.reason, condition.message].filter { !$0.isEmpty }
                            .joined(separator: ": ")
                    },
                    pods: Set(try await session.pods().map(\.id)),
                    containers: Set(try await session.containers().map(\.id)))
            }
        } catch {
            setting.answer = .silence("\(error)")
        }
        return setting
    }
}
