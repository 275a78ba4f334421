import ArgumentParser
import Foundation
import Model

/// The daemon's command line.
@main
struct Swiftletd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftletd",
        abstract: "Container runtime for Kubernetes nodes: serves the CRI on a Unix socket.",
        discussion: """
            Everything else is set in the configuration file; --print-config shows every key with its present value. \
            SIGTERM and SIGINT end the daemon and leave pods and containers running; SIGHUP has it read the configuration again.
            """,
        version: "swiftletd \(Version.current)")

    @Option(help: ArgumentHelp("TOML file to read.", discussion: "Default: /etc/swiftlet/config.toml if it exists."))
    var config: String?

    @Flag(help: "Print the effective configuration as TOML and exit.")
    var printConfig = false

    @Flag(help: "Print as JSON what a start would do with what is on the node, change nothing, and exit.")
    var dryRun = false

    static let defaultPath = "/etc/swiftlet/config.toml"

    func run() async throws {
        do {
            let read = { @Sendable [config] in
                let isThere = FileManager.default.fileExists(atPath: Self.defaultPath)
                return try Config.load(path: config ?? (isThere ? Self.defaultPath : nil))
            }
            let config = try read()
            if printConfig {
                print(try config.toml())
                return
            }
            if dryRun {
                print(try await RecoveryLook(config).json())
                return
            }
            try await Daemon(config: config, readAgain: read).run()
        } catch let fault as Fault {
            FileHandle.standardError.write(Data("swiftletd: \(fault.description)\n".utf8))
            throw ExitCode(1)
        }
    }
}
