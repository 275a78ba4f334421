import ArgumentParser
import CLICore

/// The options that stand before the command, named as crictl names them.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: "The client's configuration, as crictl reads it (default: $CRI_CONFIG_FILE, /etc/crictl.yaml).",
        completion: .file())
    var config: String?

    @Option(
        name: [.customShort("r"), .long],
        help:
            "The runtime's socket (default: $CONTAINER_RUNTIME_ENDPOINT, the file, unix:///run/swiftlet/swiftlet.sock)."
    )
    var runtimeEndpoint: String?

    @Option(
        name: [.customShort("i"), .long],
        help: "The image service's socket (default: $IMAGE_SERVICE_ENDPOINT, the file, the runtime's socket).")
    var imageEndpoint: String?

    @Option(
        name: .shortAndLong, help: "How long to wait for an answer: 2s, 500ms, 1m (default: what suits the command).")
    var timeout: String?

    @Option(
        parsing: .unconditional,
        help: "How often to try again where no runtime listens; -1 is for ever (default: the file, 0).")
    var maxRetries: Int?

    @Flag(name: [.customShort("D"), .long], help: "Say on standard error which calls are made and how long each took.")
    var debug = false
}

extension GlobalOptions {
    /// The options' names that take a value.
    private static let valued: Set<String> = [
        "-c", "--config", "--max-retries", "-r", "--runtime-endpoint", "-i", "--image-endpoint", "-t", "--timeout",
    ]

    /// Splits arguments into the global options and what begins with the command.
    ///
    /// They are taken off before ArgumentParser sees the command: it would let the outer `-t` take the `-t` of `stop -t 5`.
    static func split(_ arguments: [String]) -> (global: [String], rest: [String]) {
        var index = 0
        while index < arguments.count, arguments[index].hasPrefix("-"),
            !["-h", "--help", "-v", "--version", Program.dumpHelp, Program.completion].contains(arguments[index])
        {
            index += valued.contains(arguments[index]) ? 2 : 1
        }
        let end = min(index, arguments.count)
        return (Array(arguments[..<end]), Array(arguments[end...]))
    }
}
