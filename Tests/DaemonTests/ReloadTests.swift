import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import TestKit
import Testing

extension WholeDaemon {
    /// The configuration and the log level while the daemon runs.
    @Suite(.serialized) struct Reload {}
}

extension WholeDaemon.Reload {
    @Test func `a reload applies what it may, names the rest, and refuses a bad file as a whole`() async throws {
        let node = try Node.current
        try await withConfiguration(of: node) { original in
            try insert(
                "log_level = \"debug\"\nsocket_group = 1\n", original, "\n[exec]\nsync_output_bytes_max = 10\n", node)
            let shown = try await node.shell("swiftlet reload")
            #expect(
                shown.stdout == """
                    exec.sync_output_bytes_max: in force
                    log_level: in force
                    socket_group: needs a restart of the daemon

                    """)
            // In force is in force: lists are logged now, and an exec returns no more than that.
            let seen = try logged(node) { $0.contains("debug call") }
            _ = try await node.call(CRIMethods.listContainers, .init())
            #expect(try logged(node) { $0.contains("debug call") } > seen)
            try await node.withPod("reloaded") { pod in
                let container = try await pod.start()
                #expect(try await container.execResponse(["echo", "12345678901234567890"]).stdout.count == 10)
            }
            let status = try await node.call(CRIMethods.status, .with { $0.verbose = true })
            #expect(status.info["config"]?.contains("\"log_level\":\"debug\"") == true)

            try insert("log_level = \"error\"\nnonsense = 1\n", original, "", node)
            let refused = await refusal { try await node.call(NodeMethods.reload, .init()) }
            #expect(refused.code == .invalidArgument && refused.message.contains("unknown key \"nonsense\""))
            #expect(refused.message.contains(node.configuration))
            #expect(try await node.call(NodeMethods.logLevel, .init()).level == "debug")
        }
    }

    @Test func `a hang-up is a reload`() async throws {
        let node = try Node.current
        try await withConfiguration(of: node) { original in
            try insert("log_level = \"debug\"\n", original, "", node)
            let daemon = try #require(node.daemonProcess())
            #expect(kill(daemon, SIGHUP) == 0)
            try await eventually("the level is in force") {
                try await node.call(NodeMethods.logLevel, .init()).level == "debug"
            }
            #expect(node.daemonProcess() == daemon)
        }
    }

    @Test func `a log level is set, is in force, and is gone with a reload`() async throws {
        let node = try Node.current
        let set = try await node.call(NodeMethods.logLevel, .with { $0.level = "trace" })
        #expect(set.level == "trace" && set.previous == "info")
        let seen = try logged(node) { $0.contains(" debug call ") }
        _ = try await node.call(CRIMethods.version, .init())
        #expect(try logged(node) { $0.contains(" debug call ") } > seen)
        #expect(try await node.call(NodeMethods.reload, .init()).applied == ["log_level"])
        #expect(try await node.call(NodeMethods.logLevel, .init()).level == "info")
        let refused = await refusal { try await node.call(NodeMethods.logLevel, .with { $0.level = "loud" }) }
        #expect(refused.code == .invalidArgument)
    }

    @Test func `health is answered over the daemon's socket, and its end is told to whoever watches`() async throws {
        let node = try Node.current
        #expect(try await node.call(HealthMethods.check, .init()).status == .serving)
        #expect(
            try await node.call(HealthMethods.check, .with { $0.service = "runtime.v1.ImageService" }).status
                == .serving)
        let unknown = await refusal { try await node.call(HealthMethods.check, .with { $0.service = "none" }) }
        #expect(unknown.code == .notFound)
        let client = try await GRPCClient(unixPath: node.socket)
        let watch: ResponseStream<GRPCHealthCheckResponse> = try client.serverStream(
            HealthMethods.watch.path, GRPCHealthCheckRequest())
        var states = watch.makeAsyncIterator()
        #expect(try await states.next()?.status == .serving)
        try await node.endDaemon(SIGTERM)
        #expect(try await states.next()?.status == .notServing)
        let end = await refusal { _ = try await states.next() }
        #expect(end.code == .unavailable)
        await client.close()
        try await node.startDaemon()
    }

    // MARK: - The file

    /// Gives the node its own file back, whatever a test made of it, with what the daemon has in force.
    private func withConfiguration(of node: Node, _ body: (String) async throws -> Void) async throws {
        let original = try node.text(node.configuration)
        do { try await body(original) } catch { Issue.record("\(error)") }
        try write(original, node)
        try await node.call(NodeMethods.reload, .init())
    }

    /// Keys before the first table, and tables behind the last.
    private func insert(_ keys: String, _ original: String, _ tables: String, _ node: Node) throws {
        try write(keys + original + tables, node)
    }

    private func write(_ text: String, _ node: Node) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: node.path(node.configuration)))
    }

    private func logged(_ node: Node, _ fits: (Substring) -> Bool) throws -> Int {
        String(decoding: try readFile(node.daemonLog), as: UTF8.self).split(separator: "\n").count(where: fits)
    }

    /// How a call failed; OK if it did not.
    private func refusal(_ body: () async throws -> Void) async -> GRPCStatus {
        do {
            try await body()
            return .ok
        } catch let status as GRPCStatus { return status } catch {
            return GRPCStatus(code: .unknown, message: "\(error)")
        }
    }
}
