import ArgumentParser
import CLICore

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show or change the client's configuration file.",
        usage: """
            swiftlet config --list
            swiftlet config --get KEY
            swiftlet config --set KEY=VALUE[,KEY=VALUE] ...
            swiftlet config KEY VALUE
            """,
        discussion: """
            Keys: runtime-endpoint, image-endpoint, timeout (seconds), debug, pull-image-on-create, disable-pull-on-run, \
            max-retries. The file is that of --config; its comments and other lines stay.
            """)

    @Option(help: "Print the value of this key.")
    var get: String?

    @Option(parsing: .singleValue, help: "Set keys: KEY=VALUE, several with commas between. May be repeated.")
    var set: [String] = []

    @Flag(help: "Print all keys with their values.")
    var list = false

    @Argument(help: "The key to set.")
    var key: String?

    @Argument(help: "Its value.")
    var value: String?

    func validate() throws {
        let ways = [get != nil, !set.isEmpty, list, key != nil].filter { $0 }
        guard ways.count == 1 else { throw ValidationError("expected one of --list, --get, --set and KEY VALUE") }
        if key != nil, value == nil { throw ValidationError("expected a value after the key; --get shows one") }
    }

    func run() async throws {
        guard let context = CommandContext.current else { throw Failure("the command runs outside of the program") }
        let file = try ClientFile(at: context.configurationPath, mustExist: false)
        if let get {
            try context.console.line(printable(file.settings.text(try ClientFile.Key(named: get))))
        } else if list {
            var table = Table(["KEY", "VALUE"])
            for key in ClientFile.Key.allCases { table.add([key.rawValue, file.settings.text(key)]) }
            try context.console.out(table.text)
        } else {
            try file.set(try changes())
        }
    }

    private func changes() throws(Failure) -> [(key: ClientFile.Key, text: String)] {
        if let key, let value { return [(try ClientFile.Key(named: key), value)] }
        var changes: [(key: ClientFile.Key, text: String)] = []
        for pair in set.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw .usage("--set \"\(printable(String(pair)))\": expected KEY=VALUE") }
            changes.append((try ClientFile.Key(named: parts[0]), parts[1]))
        }
        return changes
    }
}
