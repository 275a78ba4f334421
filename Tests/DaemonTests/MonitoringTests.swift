import CRIProto
import Foundation
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Monitoring {}
}

extension WholeDaemon.Monitoring {
    @Test func `calls are counted by method and code, and pods and containers by state`() async throws {
        let node = try Node.current
        try await node.withPod("monitored") { pod in
            let before = try await samples(node)
            _ = try await pod.start()
            _ = try await pod.run("true")
            _ = try await node.refusal(of: CRIMethods.startContainer, .with { $0.containerID = "none" })
            let after = try await samples(node)
            func grown(_ name: String) -> Double { (after[name] ?? 0) - (before[name] ?? 0) }
            let started = "swiftlet_rpc_duration_seconds_count{method=\"StartContainer\",code="
            #expect(grown(started + "\"ok\"}") == 2)
            #expect(grown(started + "\"notFound\"}") == 1)
            let bucket = "swiftlet_rpc_duration_seconds_bucket{method=\"StartContainer\",code=\"ok\",le="
            #expect(grown(bucket + "\"+Inf\"}") == 2 && grown(bucket + "\"300.0\"}") == 2)
            #expect(grown("swiftlet_rpc_duration_seconds_sum{method=\"StartContainer\",code=\"ok\"}") > 0)
            #expect(after["swiftlet_pod_sandboxes{state=\"ready\"}"] == 1)
            #expect(after["swiftlet_containers{state=\"running\"}"] == 1)
            #expect(after["swiftlet_containers{state=\"exited\"}"] == 1)
            #expect(after["process_resident_memory_bytes"] ?? 0 > 1_000_000)
        }
    }

    @Test func `what recovery did is told, and health is`() async throws {
        let node = try Node.current
        #expect(try await get(node, "/healthz") == "200 ok\n")
        #expect(try await get(node, "/nothing").hasPrefix("404"))
        try await node.withPod("recovered") { pod in
            _ = try await pod.start()
            try await node.restartDaemon()
            let samples = try await samples(node)
            #expect(samples["swiftlet_recovered_objects{what=\"pods_ready\"}"] == 1)
            #expect(samples["swiftlet_recovered_objects{what=\"containers_running\"}"] == 1)
        }
    }

    /// Every sample by its name with its labels; a line that is none fails, as a name does that comes twice.
    private func samples(_ node: Node) async throws -> [String: Double] {
        let page = try await get(node, "/metrics")
        var samples: [String: Double] = [:]
        for line in page.split(separator: "\n").dropFirst() where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "))
            let value = try #require(Double(line[line.index(after: space)...]), "\(line)")
            #expect(samples.updateValue(value, forKey: String(line[..<space])) == nil, "\(line)")
        }
        return samples
    }

    /// Status and body, by a client inside of the node's network.
    private func get(_ node: Node, _ path: String) async throws -> String {
        let script = """
            import http.client, sys
            connection = http.client.HTTPConnection("127.0.0.1", 9464, timeout=60)
            connection.request("GET", sys.argv[1])
            reply = connection.getresponse()
            sys.stdout.write(str(reply.status) + " " + reply.read().decode())
            """
        let text = try await node.succeed("python3", "-c", script, path)
        return path == "/metrics" ? text.replacingOccurrences(of: "200 # HELP", with: "200\n# HELP") : text
    }
}
