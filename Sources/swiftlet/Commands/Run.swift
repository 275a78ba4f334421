import ArgumentParser
import CLICore
import CRIProto
import Foundation
import UnixSignals

struct Run: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a new pod, show what it writes, and clean up.",
        usage: "swiftlet run [OPTIONS] IMAGE [ARGUMENT ...]",
        discussion: """
            Pulls the image if it is not there, and ends with the command's exit status. An interrupt asks the command to stop, \
            and kills it after ten seconds; a second one kills it at once. A terminal that is handed over shows what comes once \
            it is joined: a prompt may take a key.
            """)

    @OptionGroup var options: RunOptions

    @Flag(help: "Pull the image even if it is there.")
    var withPull = false

    @Flag(help: "Do not pull the image (default: what disable-pull-on-run of the client's configuration says).")
    var noPull = false

    @Flag(help: "Keep the pod and the log when the command has ended.")
    var keep = false

    @Option(
        help: "Keep the log in this directory (default: a directory of its own that goes with the pod).",
        completion: .directory)
    var logDir: String?

    @Option(name: .shortAndLong, help: "The runtime handler.")
    var runtime: String?

    @OptionGroup var registry: RegistryOptions

    @Argument(help: "The image's name.", completion: .images)
    var image: String

    @Argument(
        parsing: .captureForPassthrough, help: "Arguments for the image's program, or the command if it has none.")
    var command: [String] = []

    func validate() throws {
        if withPull, noPull { throw ValidationError("--with-pull and --no-pull cannot both be given") }
    }

    func run(_ session: Session) async throws {
        let uid = UUID().uuidString.lowercased()
        // Before anything is made for it.
        if options.interactive, options.tty { _ = try RawTerminal() }
        let words = command.first == "--" ? Array(command.dropFirst()) : command
        var workload = try options.workload(
            image: image, arguments: words, uid: uid, environment: ProcessInfo.processInfo.environment)
        let credentials = try await registry.credentials()
        workload.logDirectory = try logDirectory(uid)
        let job = RunJob(
            session: session.patient, workload: workload, handler: runtime ?? "", credentials: credentials,
            pulling: withPull ? .always : noPull || !session.pullsOnRun ? .never : .ifMissing, keeps: keep,
            ownsLogDirectory: logDir == nil)
        let status = try await supervise(job, session)
        guard status == 0 else { throw Failure.silent(exitStatus: status) }
    }

    /// Makes the directory of the log: the given one, or a fresh one for this user only.
    private func logDirectory(_ uid: String) throws(Failure) -> String {
        let manager = FileManager.default
        let path =
            logDir.map { URL(filePath: $0).standardizedFileURL }
            ?? manager.temporaryDirectory.appending(path: "swiftlet-run-\(uid)")
        do {
            try manager.createDirectory(
                at: path, withIntermediateDirectories: logDir != nil,
                attributes: logDir == nil ? [.posixPermissions: 0o700] : nil)
        } catch {
            throw Failure("make the directory \"\(path.path)\" for the log: \(error.localizedDescription)")
        }
        return path.path
    }

    // MARK: - Signals

    private enum Event: Sendable {
        case signal(UnixSignal)
        case ended(Result<Int32, any Error>)
    }

    /// Runs the job and brings signals to it.
    private func supervise(_ job: RunJob, _ session: Session) async throws -> Int32 {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let (events, source) = AsyncStream.makeStream(of: Event.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await signal in signals { source.yield(.signal(signal)) } }
            group.addTask {
                do { source.yield(.ended(.success(try await job.run()))) } catch {
                    source.yield(.ended(.failure(error)))
                }
            }
            var count = 0
            for await event in events {
                switch event {
                case .ended(let result):
                    group.cancelAll()
                    return try result.get()
                case .signal(let signal):
                    count += 1
                    switch await job.interrupt(by: signal.rawValue) {
                    case .pulling: group.cancelAll()
                    // A runtime that does not answer must not hold the terminal for ever.
                    case .settingUp, .ending: if count >= 3 { group.cancelAll() }
                    case .running(let container):
                        let grace: Int64 = count == 1 ? 10 : 0
                        group.addTask { await stop(container, grace: grace, session.patient) }
                    }
                }
            }
            throw CancellationError()
        }
    }

    private func stop(_ container: String, grace: Int64, _ session: Session) async {
        do {
            try await session.stopContainer(container, grace: grace)
        } catch {
            bestEffort { try session.console.err("swiftlet: \(printable("\(error)"))\n") }
        }
    }
}
