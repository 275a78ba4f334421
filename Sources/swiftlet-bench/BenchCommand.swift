import ArgumentParser
import CLICore
import Foundation

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftlet-bench",
        abstract: "Measures a CRI runtime, alone or alternating with another one.",
        usage: "swiftlet-bench [OPTIONS]",
        discussion: """
            Each iteration runs a pod with one container through its life, on each runtime in turn, with the same client. All \
            that it makes it removes, also when it is interrupted.
            """)

    @Option(help: "The runtime's socket.")
    var endpoint = Endpoint.standard.description

    @Option(help: "A second runtime to measure in the same minutes.")
    var peerEndpoint: String?

    @Option(help: "The runtime handler.")
    var handler = ""

    @Option(help: "The runtime handler of the peer.")
    var peerHandler = ""

    @Option(help: "The image of the containers; it has the two commands.")
    var image = "docker.io/library/busybox:latest"

    @Option(help: "The command that containers run.")
    var sleep = "sleep 36000"

    @Option(help: "The command that ExecSync runs.")
    var exec = "true"

    @Option(help: "How many pods live and end one after the other.")
    var iterations = 50

    @Option(help: "How many containers are there to be listed; 0 measures no calls that read.")
    var containers = 100

    @Option(help: "How many calls of Version are made for each figure of calls a second; 0 makes none.")
    var calls = 2000

    @Option(help: "How many pods are up at once for the figures of memory; 0 makes none.")
    var pods = 20

    @Flag(help: "Measure lists, statistics, events and idling while all of --pods are up, and pods without plugins.")
    var node = false

    @Option(help: "A cgroup below which each pod gets a parent of its own, which is left behind (default: none).")
    var cgroupParent = ""

    @Flag(help: "Measure exec by stream, logs and exec probes too (the runtime is on this machine).")
    var streams = false

    @Option(help: "How many commands are streamed by each protocol.")
    var streamCommands = 20

    @Option(help: "How many megabytes one of them writes; 0 writes none.")
    var streamMegabytes = 1000

    @Option(help: "How many lines a container logs; 0 logs none.")
    var logLines = 5_000_000

    @Option(help: "For how many seconds 20 exec probes run each; 0 runs none.")
    var probeSeconds = 10

    @Option(help: "Measure pulls of this image.")
    var pull: String?

    @Option(help: "How many pulls.")
    var pulls = 5

    @Option(help: "The daemon's process (default: the process of this name: swiftletd).")
    var daemonPid: Int32?

    @Option(help: "The beginning of the name of the processes that belong to pods.")
    var shimName = "swiftlet-launch"

    @Option(help: "The peer's daemon.")
    var peerDaemonPid: Int32?

    @Option(help: "The beginning of the name of the peer's processes that belong to pods.")
    var peerShimName: String?

    @Option(help: "The log of bench/cni-timer, if it stands before the plugins.")
    var cniLog: String?

    @Option(help: "The same for the peer.")
    var peerCniLog: String?

    @Option(help: "The program made from bench/floor.c with its arguments; it runs in between.")
    var floor: String?

    @Option(help: "A report of an earlier run to compare with.")
    var baseline: String?

    @Option(help: "Write the report to this file as JSON.")
    var json: String?

    func validate() throws {
        let bounds: [(String, Int, ClosedRange<Int>)] = [
            ("--iterations", iterations, 0...10_000), ("--containers", containers, 0...10_000),
            ("--calls", calls, 0...1_000_000), ("--pods", pods, 0...1000), ("--pulls", pulls, 1...1000),
            ("--stream-commands", streamCommands, 0...10_000), ("--stream-megabytes", streamMegabytes, 0...1_000_000),
            ("--log-lines", logLines, 0...1_000_000_000), ("--probe-seconds", probeSeconds, 0...3600),
        ]
        for (flag, value, range) in bounds where !range.contains(value) {
            throw ValidationError("\(flag) \(value): expected \(range.lowerBound) to \(range.upperBound)")
        }
        if words(sleep).isEmpty || words(exec).isEmpty { throw ValidationError("--sleep and --exec need a command") }
    }

    func run() async throws {
        let interruption = Interruption()
        let command = self
        try await interruption.during { try await command.measure(interruption, console: .standard) }
    }

    // MARK: - Parts

    func measure(_ interruption: Interruption, console: Console) async throws {
        let earlier = try baseline.map { try Baseline(parseJSON($0)) }
        let bench = Bench(
            runID: String(UUID().uuidString.lowercased().prefix(8)),
            plan: Bench.Plan(
                iterations: iterations, listed: containers, calls: calls, pods: pods, pulls: pulls, pullImage: pull,
                sleepCommand: words(sleep), execCommand: words(exec), cgroupParent: cgroupParent,
                floor: words(floor ?? ""),
                measuresNode: node,
                streams: streams
                    ? Bench.StreamPlan(
                        commands: streamCommands, megabytes: streamMegabytes, logLines: logLines,
                        probeSeconds: probeSeconds) : nil),
            console: console)
        var settings = [try own()]
        if let peer = try peer() { settings.append(peer) }
        let report = try await bench.run(settings, baseline: earlier, interruption)
        try console.out(report.text)
        guard let json else { return }
        do {
            try Data((report.json.pretty + "\n").utf8).write(to: URL(filePath: json))
        } catch {
            throw Failure("write \(json): \(error.localizedDescription)")
        }
    }

    private func own() throws(Failure) -> Subject.Settings {
        Subject.Settings(
            endpoint: try Endpoint(parsing: endpoint), handler: handler, image: image, pluginLog: cniLog,
            memory: MemoryTargets(daemonPID: daemonPid, daemonName: "swiftletd", shimName: shimName))
    }

    private func peer() throws(Failure) -> Subject.Settings? {
        guard let peerEndpoint else { return nil }
        return Subject.Settings(
            endpoint: try Endpoint(parsing: peerEndpoint), handler: peerHandler, image: image, pluginLog: peerCniLog,
            memory: MemoryTargets(daemonPID: peerDaemonPid, daemonName: nil, shimName: peerShimName))
    }

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private func parseJSON(_ path: String) throws(Failure) -> JSONValue {
        do {
            return try JSONParser.parse(Data(contentsOf: URL(filePath: path)))
        } catch {
            throw Failure("\(path): \(error)")
        }
    }
}
