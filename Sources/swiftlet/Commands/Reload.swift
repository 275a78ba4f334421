import ArgumentParser
import CLICore
import SwiftProtobuf
import SwiftletAPI

struct Reload: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the daemon read its configuration again, and show what came of it.",
        usage: "swiftlet reload [-o FORMAT]",
        discussion: """
            As SIGHUP and `systemctl reload swiftlet` do, with an answer. A file with a mistake is refused as a whole: \
            nothing changes, and the mistake is shown. Keys that are read at a start only are named.
            """)

    @OptionGroup var output: Output<TableFirst>

    func run(_ session: Session) async throws {
        let response = try await session.runtime.call(
            NodeMethods.reload, .init(), within: session.quick, to: "reload the configuration")
        guard output.isTable else {
            let tree = JSONValue.object([
                .init("applied", .array(response.applied.map { .string($0) })),
                .init("needsRestart", .array(response.needsRestart.map { .string($0) })),
            ])
            return try session.console.out(output.text(tree))
        }
        for key in response.applied { try session.console.line("\(printable(key)): in force") }
        for key in response.needsRestart {
            try session.console.line("\(printable(key)): needs a restart of the daemon")
        }
        if response.applied.isEmpty && response.needsRestart.isEmpty {
            try session.console.line("nothing has changed")
        }
    }
}
