import ArgumentParser
import CLICore
import Model

/// The words that may stand in a command's place.
enum CommandNames {
    /// crictl's short words for what ArgumentParser knows by a long one.
    private static let shortWords = ["-v": "--version", "h": "help"]

    private static let names = Swiftlet.groups.flatMap(\.subcommands).flatMap {
        [$0._commandName] + $0.configuration.aliases
    }

    /// The command line with every word in the form that ArgumentParser knows; one that begins with no command is refused.
    ///
    /// ArgumentParser would take an unknown command for an argument too many, and suggest nothing.
    static func checked(_ arguments: [String]) throws(Failure) -> [String] {
        guard let first = arguments.first else { return arguments }
        let word = shortWords[first] ?? first
        let isHelp = word == "help"
        // The words behind "help" are commands, too.
        if let command = isHelp ? arguments.dropFirst().first : word, !command.hasPrefix("-"), command != "help",
            !names.contains(command)
        {
            throw .usage("unknown command \"\(command)\"" + suggestion(for: command))
        }
        // crictl has the schemas below the commands that read such files.
        if ["runp", "create"].contains(word), arguments.count > 1, ["jsonschema", "js"].contains(arguments[1]) {
            return ["jsonschema"] + (word == "runp" ? ["--pod"] : []) + arguments.dropFirst(2)
        }
        return [word] + arguments.dropFirst()
    }

    private static func suggestion(for word: String) -> String {
        let near = names.map { ($0, editDistance(word, $0)) }.min { ($0.1, $0.0) < ($1.1, $1.0) }
        guard let near, near.1 <= 2, near.1 < min(word.count, near.0.count) else {
            return " (swiftlet help shows all commands)"
        }
        return " (did you mean \(near.0)?)"
    }
}
