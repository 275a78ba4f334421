import ArgumentParser
import CLICore
import Foundation

struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftlet-conformance",
        abstract: "Shows which rules of the CRI a runtime keeps.",
        discussion: """
            Every case states a rule, where it comes from, and what it proves. All that a case makes is removed, also when \
            it fails. The exit status is 1 if a case failed.
            """)

    @Option(help: "The runtime's socket.")
    var endpoint = Endpoint.standard.description

    @Option(help: "The image service's socket (default: the runtime's).")
    var imageEndpoint: String?

    @Option(help: "The runtime handler.")
    var handler = ""

    @Option(help: "An image with busybox; it is pulled.")
    var image = "docker.io/library/busybox:latest"

    @Option(help: "A second image, which is pulled and removed.")
    var otherImage = "docker.io/library/busybox:docker"

    @Option(help: "An image of other content that no container runs; it is removed and pulled again.")
    var unusedImage = "docker.io/swiftlet/volumes:latest"

    @Option(help: "Only cases whose id contains this; may be given more than once.")
    var filter: [String] = []

    @Option(help: "Not the cases whose id contains this; may be given more than once.")
    var skip: [String] = []

    @Option(help: "Seconds that a case may take.")
    var timeout = 60

    @Option(help: "How many cases run beside each other.")
    var parallel = 4

    @Option(help: "A directory under the same path for the runtime and for this program: logs and volumes.")
    var directory = "/tmp"

    @Flag(help: "List the cases with their rules, as a specification.")
    var list = false

    @Flag(help: "Write TAP instead of a table.")
    var tap = false

    @Option(help: "Write JUnit's XML to this file.")
    var junit: String?

    @Option(help: "Write the results to this file as JSON.")
    var json: String?

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout \(timeout): expected 1 to 3600") }
        guard (1...64).contains(parallel) else { throw ValidationError("--parallel \(parallel): expected 1 to 64") }
    }

    func run() async throws {
        let console = Console.standard
        let cases = Catalogue.all.filter { test in
            (filter.isEmpty || filter.contains { test.id.contains($0) }) && !skip.contains { test.id.contains($0) }
        }
        guard !cases.isEmpty else { throw Failure.usage("no case has such an id (--list shows them)") }
        if list { return try console.out(specification(cases)) }
        let report = try await results(of: cases, console)
        if tap { try console.out(report.tap) }
        if let junit { try write(report.junit, to: junit) }
        if let json { try write(report.json.pretty + "\n", to: json) }
        if !tap { try console.line(report.summary) }
        if !report.failures.isEmpty { throw Failure.silent(exitStatus: Failure.failed) }
    }

    // MARK: - Parts

    private func results(of cases: [Case], _ console: Console) async throws -> Report {
        let runtime = try Endpoint(parsing: endpoint)
        let subject = try await Subject(
            Subject.Settings(
                endpoint: runtime, imageEndpoint: try imageEndpoint.map { try Endpoint(parsing: $0) } ?? runtime,
                handler: handler, image: image, otherImage: otherImage, unusedImage: unusedImage,
                limit: .seconds(timeout),
                directory: directory))
        let isQuiet = tap
        do {
            let results = try await Suite(subject: subject, width: parallel).run(cases) { result in
                if isQuiet { return }
                let reason = result.verdict.reason.isEmpty ? "" : ": " + printable(result.verdict.reason)
                // A reader who left ends the run through SIGPIPE's status at the next write of the report.
                do {
                    try console.line(
                        "\(result.verdict.name) \(result.test.id) \(durationText(result.duration))\(reason)")
                } catch { return }
            }
            await subject.close()
            return Report(runtime: subject.runtimeName, version: subject.runtimeVersion, results: results)
        } catch {
            await subject.close()
            throw error
        }
    }

    private func specification(_ cases: [Case]) -> String {
        var text = ""
        var group = ""
        for test in cases {
            if test.group != group {
                group = test.group
                text += "\(text.isEmpty ? "" : "\n")\(group)\n"
            }
            text += "  \(test.id)\n    \(test.rule)\n    from \(test.source)\n"
            text += "    proves \(test.proves.joined(separator: ", "))\n"
        }
        return text
    }

    private func write(_ text: String, to path: String) throws(Failure) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path))
        } catch {
            throw Failure("write \(path): \(error.localizedDescription)")
        }
    }
}
