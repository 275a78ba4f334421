import Glibc
import Linux

/// Runs plugins: programs that get their configuration on standard input and their parameters in the environment (CNI
/// specification, section 2).
struct PluginRunner: Sendable {
    let directories: [String]
    let reaper = ProgramReaper()

    /// What a plugin is to do, and for whom.
    struct Call: Sendable {
        enum Command: String, Sendable { case add = "ADD", delete = "DEL", status = "STATUS" }

        var command: Command
        var containerID = ""
        /// Empty: the namespace is gone, which DEL has to bear.
        var networkNamespace = ""
        var interface = ""
        var arguments = ""
    }

    /// The time that an operation may take in all its plugins together.
    struct Deadline: Sendable {
        let limit: Duration
        let end: Int64

        init(_ limit: Duration) {
            self.limit = limit
            let (seconds, attoseconds) = limit.components
            end = Clock.monotonicNanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        }
    }

    /// Runs one plugin to its end and returns what it printed. `time` grows by what it took, also when it failed.
    func run(
        _ plugin: String, _ call: Call, input: JSON, deadline: Deadline, time: inout Duration, started: (Int32) -> Void
    ) throws(CNIError) -> [UInt8] {
        let program = ProgramRun(
            Path(try find(plugin)), arguments: [Array(plugin.utf8)], environment: environment(call), input: input.bytes,
            deadlineNanoseconds: deadline.end)
        let outcome = try run(program, plugin, started: started)
        time += .nanoseconds(outcome.durationNanoseconds)
        switch outcome.end {
        case .timedOut: throw .timedOut(plugin: plugin, command: call.command.rawValue, limit: deadline.limit)
        case .outputTooLong:
            throw .pluginFailed(
                plugin: plugin, command: call.command.rawValue, reason: "printed more than \(program.outputMax) bytes",
                code: nil)
        case .ended(.exited(0)): return outcome.output
        case .ended(let status): throw Self.failure(plugin, call.command, status, outcome)
        }
    }

    /// ETXTBSY passes: somebody has the file open for writing, a copy that is not finished, or a child between fork and
    /// exec in a process that has just written it.
    private func run(_ program: ProgramRun, _ plugin: String, started: (Int32) -> Void) throws(CNIError)
        -> ProgramOutcome
    {
        var attemptsLeft = 50
        while true {
            do throws(Errno) {
                return try program.run(reaper: reaper, started: started)
            } catch {
                attemptsLeft -= 1
                guard error == Errno(ETXTBSY), attemptsLeft > 0,
                    Clock.monotonicNanoseconds < program.deadlineNanoseconds
                else {
                    throw .pluginNotStarted(plugin: plugin, errno: error)
                }
                usleep(10_000)
            }
        }
    }

    /// The program's path in the first directory that has it.
    func find(_ plugin: String) throws(CNIError) -> String {
        for directory in directories {
            let path = directory + "/" + plugin
            do throws(Errno) {
                let status = try OwnedFD.open(Path(path), .path).status()
                if status.kind == .regular, status.mode & 0o111 != 0 { return path }
            } catch {
                // A directory that is not there or not readable has no plugin.
                continue
            }
        }
        throw .pluginMissing(plugin: plugin, directories: directories)
    }

    /// Nothing of the daemon's own environment. PATH is for plugins that run iptables, nft or tc.
    private func environment(_ call: Call) -> [[UInt8]] {
        var variables = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "CNI_COMMAND=\(call.command.rawValue)",
            "CNI_PATH=\(directories.joined(separator: ":"))",
        ]
        if call.command != .status {
            variables += [
                "CNI_CONTAINERID=\(call.containerID)", "CNI_NETNS=\(call.networkNamespace)",
                "CNI_IFNAME=\(call.interface)",
                "CNI_ARGS=\(call.arguments)",
            ]
        }
        return variables.map { Array($0.utf8) }
    }

    /// The plugin's own words: the error object on standard output, else the end of standard error.
    private static func failure(
        _ plugin: String, _ command: Call.Command, _ status: ExitStatus, _ outcome: ProgramOutcome
    ) -> CNIError {
        do throws(JSONError) {
            let said = try JSON(parsing: outcome.output)
            if let message = said["msg"]?.text, !message.isEmpty {
                let details = said["details"]?.text ?? ""
                return .pluginFailed(
                    plugin: plugin, command: command.rawValue,
                    reason: sentence(details.isEmpty ? message : "\(message): \(details)"),
                    code: said["code"]?.number)
            }
        } catch {
            // It printed something else; then standard error is the next best.
        }
        let how =
            switch status {
            case .exited(let code): "exit status \(code)"
            case .signaled(let signal): "killed by signal \(signal.rawValue)"
            }
        let words = sentence(String(decoding: outcome.errorOutput.suffix(1024), as: UTF8.self))
        return .pluginFailed(
            plugin: plugin, command: command.rawValue, reason: words.isEmpty ? how : "\(how): \(words)", code: nil)
    }

    /// One line of at most 2,048 characters: the text goes into logs and into events of the cluster.
    private static func sentence(_ text: String) -> String {
        let words = text.split(whereSeparator: { $0.isWhitespace || $0.isNewline })
            .map { $0.filter { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } } }
        return String(words.joined(separator: " ").prefix(2048))
    }
}
