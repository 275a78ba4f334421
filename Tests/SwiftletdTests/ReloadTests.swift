import Foundation
import GRPC
import Lifecycle
import Linux
import Logging
import Model
import SwiftProtobuf
import Synchronization
import SwiftletAPI
import TestKit
import Testing

@testable import swiftletd

@Suite(.timeLimit(.minutes(2))) struct ReloadTests {
    /// A file, what reads it, and what was put in force.
    private final class Bench: Sendable {
        private final class Applied: Sendable { let all = Mutex<[Config]>([]) }

        let root: TemporaryRoot
        let live: LiveConfiguration
        private let applied = Applied()

        init(_ text: String = "") throws {
            root = try TemporaryRoot()
            let path = try root.write(text, to: "config.toml")
            live = LiveConfiguration(
                try Config.load(path: path), read: { try Config.load(path: path) },
                apply: { [applied] config in applied.all.withLock { $0.append(config) } })
        }

        var inForce: [Config] { applied.all.withLock { $0 } }

        func write(_ text: String) throws { try root.write(text, to: "config.toml") }
    }

    @Test func `keys that differ are named as in the file`() throws {
        let other = try Config.parse(
            """
            log_level = "debug"
            [container.rlimits]
            nofile = [1024, 524288]
            [image]
            pinned = ["a", "b"]
            [metrics]
            address = "127.0.0.1:9464"
            """, name: "test")
        let names = ["container.rlimits.core", "image.pinned", "log_level", "metrics.address"]
        #expect(try Config().differences(from: other) == names)
        #expect(try other.differences(from: Config()) == names)
        #expect(try Config().differences(from: Config()) == [])
    }

    @Test func `what is looked at when needed changes, and the rest is named`() throws {
        let bench = try Bench()
        try bench.write(
            """
            log_level = "debug"
            log_format = "json"
            socket_group = 5
            [registry]
            hosts_dir = "/etc/hosts.d"
            progress_timeout_seconds = 7
            [image]
            volumes = "ignore"
            [exec]
            sync_output_bytes_max = 1000
            sync_drain_milliseconds = 5
            [cni]
            timeout_seconds = 3
            """)
        let reloaded = try bench.live.reload()
        #expect(
            reloaded.applied == [
                "exec.sync_drain_milliseconds", "exec.sync_output_bytes_max", "image.volumes", "log_format",
                "log_level",
                "registry.hosts_dir", "registry.progress_timeout_seconds",
            ])
        #expect(reloaded.needsRestart == ["cni.timeout_seconds", "socket_group"])
        let config = try #require(bench.inForce.first)
        #expect(config == bench.live.current)
        #expect(config.logLevel == "debug" && config.exec.syncOutputBytesMax == 1000)
        #expect(config.socketGroup == 0 && config.cni.timeoutSeconds == 60)
        // What needs a restart still does; what is in force is no change.
        #expect(try bench.live.reload() == .init(applied: [], needsRestart: ["cni.timeout_seconds", "socket_group"]))
        try bench.write("")
        #expect(try bench.live.reload().applied.count == 7)
        #expect(bench.live.current == Config())
    }

    @Test(
        arguments: [
            ("log_level = \"loud\"", "log_level"), ("log_level = \"debug\"\nnonsense = 1", "nonsense"),
            ("log_level = ", "config.toml"),
            ("log_level = \"debug\"\n[container.rlimits]\nspeed = [1, 2]", "rlimits.speed"),
            ("log_level = 7", "log_level"),
        ])
    func `a file with a mistake is refused as a whole, with the words of a start`(text: String, word: String) throws {
        let bench = try Bench("log_level = \"warning\"")
        try bench.write(text)
        var said = ""
        do { _ = try bench.live.reload() } catch { said = "\(error)" }
        #expect(said.contains(word))
        var atStart = ""
        do { _ = try Config.load(path: bench.root.path("config.toml")) } catch { atStart = "\(error)" }
        #expect(said == atStart)
        #expect(bench.live.current.logLevel == "warning")
        #expect(bench.inForce.isEmpty)
    }

    @Test func `a level that was set is in force until the file is read again`() throws {
        let bench = try Bench("log_level = \"warning\"")
        #expect(bench.live.setLogLevel(.trace) == "warning")
        #expect(bench.inForce.last?.logLevel == "trace")
        #expect(bench.live.setLogLevel(.debug) == "trace")
        #expect(try bench.live.reload() == .init(applied: ["log_level"], needsRestart: []))
        #expect(bench.live.current.logLevel == "warning")
    }

    @Test func `of changes at the same time none is lost`() async throws {
        let bench = try Bench()
        try bench.write("[exec]\nsync_drain_milliseconds = 5")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { _ = bench.live.setLogLevel(.debug) }
                group.addTask {
                    do { _ = try bench.live.reload() } catch { Issue.record("\(error)") }
                }
            }
        }
        #expect(bench.inForce.count == 100)
        #expect(bench.inForce.last == bench.live.current)
        // The file's value came in, whatever was set before and after it.
        #expect(bench.live.current.exec.syncDrainMilliseconds == 5)
    }

    @Test func `loggers that exist go by the level and form that are set`() {
        var config = Config()
        let control = LogControl(config)
        var logger = Logger(label: "test") { LogOutput(label: $0, control: control) }
        #expect(logger.logLevel == .info && control.format == .text)
        (config.logLevel, config.logFormat) = ("debug", "json")
        control.set(config)
        #expect(logger.logLevel == .debug && control.format == .json)
        // A logger may have a level of its own, which is nobody else's.
        logger.logLevel = .error
        #expect(logger.logLevel == .error && control.level == .debug)
    }

    // MARK: - What is said of it

    @Test func `a reload is told to the service manager and the log`() async throws {
        let bench = try Bench()
        let receiver = try DatagramReceiver(bench.root.path("notify"))
        let lines = LogLines()
        let reloading = Reloading(
            configuration: bench.live,
            manager: ServiceManager(environment: ["NOTIFY_SOCKET": receiver.name], process: 1),
            status: { "3 pods" }, pool: BlockingPool(name: "test", threadsMax: 1), log: lines.logger)
        try bench.write("log_level = \"debug\"\nsocket_group = 3")
        let before = Clock.monotonicNanoseconds / 1000
        #expect(try await reloading.run().get() == .init(applied: ["log_level"], needsRestart: ["socket_group"]))
        let begin = try await receiver.wait(for: "RELOADING=1")
        let time = begin.split(separator: "\n").first { $0.hasPrefix("MONOTONIC_USEC=") }?.dropFirst(15)
        #expect(try #require(time.flatMap { Int64($0) }) >= before)
        #expect(try await receiver.wait(for: "READY=1") == "READY=1\nSTATUS=3 pods")
        #expect(lines.all == ["notice configuration read again applied=log_level needs_restart=socket_group"])

        try bench.write("log_level = \"loud\"")
        await #expect(throws: Fault.self) { try await reloading.run().get() }
        try await receiver.wait(for: "RELOADING=1")
        let ready = try await receiver.wait(for: "READY=1")
        #expect(ready.contains("STATUS=3 pods; refused at the last reload: ") && ready.contains("\"loud\""))
        #expect(lines.all.last?.hasPrefix("error the configuration is refused") == true)
    }

    @Test func `levels are set and asked for by name, and others are refused`() throws {
        let bench = try Bench()
        let node = NodeService(
            configuration: bench.live,
            reloading: Reloading(
                configuration: bench.live, manager: ServiceManager(environment: [:], process: 1), status: { "" },
                pool: BlockingPool(name: "test", threadsMax: 1), log: LogLines().logger), operations: OperationLog(),
            log: LogLines().logger)
        func ask(_ level: String) throws -> [String] {
            let response = try node.logLevel(.with { $0.level = level })
            return [response.level, response.previous]
        }
        #expect(try ask("") == ["info", "info"])
        #expect(try ask("trace") == ["trace", "info"])
        #expect(try ask("trace") == ["trace", "trace"])
        #expect(try ask("") == ["trace", "trace"])
        for bad in ["loud", "INFO", " info", String(repeating: "x", count: 1 << 20)] {
            var said = ""
            do { _ = try ask(bad) } catch { said = "\(error)" }
            #expect(said.contains("is none of trace, debug, info") && said.utf8.count < 300)
        }
        #expect(bench.live.current.logLevel == "trace")
    }
}
