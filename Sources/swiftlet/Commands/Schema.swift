import ArgumentParser
import CLICore

struct Schema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jsonschema",
        abstract: "Print the JSON schema of pod or container files.",
        usage: """
            swiftlet jsonschema --pod | --container
            swiftlet runp jsonschema
            swiftlet create jsonschema --pod | --container
            """,
        discussion: "Asks no runtime. An editor that knows the schema completes fields and marks mistakes.",
        aliases: ["js"])

    @Flag(name: .shortAndLong, help: "The files of runp, and the second ones of create.")
    var pod = false

    @Flag(name: .shortAndLong, help: "The first files of create.")
    var container = false

    func validate() throws {
        if pod == container { throw ValidationError("expected either --pod or --container") }
    }

    func run() async throws {
        guard let context = CommandContext.current else { throw Failure("the command runs outside of the program") }
        let schema = try JSONSchema.of(pod ? "PodSandboxConfig" : "ContainerConfig")
        try context.console.line(schema.pretty)
    }
}
