import CLICore
import Foundation
import Testing

@testable import swiftlet

@Suite struct SchemaTests {
    private func run(_ arguments: String...) async -> (status: Int32, out: String) {
        let captured = CapturedConsole()
        let status = await Program.run(arguments, environment: [:], console: captured.console)
        return (status, captured.out)
    }

    @Test("the schema of pods is as reviewed, under crictl's spelling and ours")
    func pod() async throws {
        let pod = await run("jsonschema", "--pod")
        #expect(pod.status == 0)
        try Golden.compare(
            pod.out, with: Golden.packageRoot.appending(path: "Tests/Fixtures/cli/jsonschema-pod.txt"))
        #expect(await run("runp", "jsonschema") == pod)
        #expect(await run("create", "js", "-p") == pod)
        let container = await run("create", "jsonschema", "--container")
        #expect(container.status == 0 && container.out != pod.out)
        #expect(await run("jsonschema", "-c") == container)
        #expect(await run("jsonschema").status == 2)
        #expect(await run("jsonschema", "-p", "-c").status == 2)
    }

    @Test("every reference leads somewhere, and nothing stands there in vain", arguments: ["--pod", "--container"])
    func references(flag: String) async throws {
        let out = await run("jsonschema", flag).out
        let schema = try JSONParser.parse(Array(out.utf8))
        guard case .object(let definitions)? = schema["$defs"] else { throw Failure("no $defs") }
        var referred: Set<String> = []
        func visit(_ value: JSONValue) {
            switch value {
            case .object(let members):
                for member in members {
                    if member.name == "$ref", let text = member.value.text { referred.insert(text) }
                    visit(member.value)
                }
            case .array(let items): items.forEach(visit)
            default: return
            }
        }
        visit(schema)
        #expect(referred == Set(definitions.map { "#/$defs/\($0.name)" }))
    }
}
