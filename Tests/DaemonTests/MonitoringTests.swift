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

    @Test func `the stages of starts, the plugins among them, are counted, and supervisors are`() async throws {
        let node = try Node.current
        let before = try await samples(node)
        try await node.withPod("staged") { pod in
            _ = try await pod.start()
            let after = try await samples(node)
            func grown(_ name: String) -> Double { (after[name] ?? 0) - (before[name] ?? 0) }
            for (method, stages) in [
                "RunPodSandbox": ["record", "host_files", "cgroup", "supervisor", "birth", "connection", "network"],
                "CreateContainer": ["image", "user", "writable_layer", "trial_plan", "description", "plan"],
                "StartContainer": ["description", "plan", "record", "cgroup", "launch"],
            ] {
                for stage in stages {
                    let labels = "{method=\"\(method)\",stage=\"\(stage)\"}"
                    #expect(grown("swiftlet_start_stage_duration_seconds_count" + labels) == 1, "\(labels)")
                    #expect(grown("swiftlet_start_stage_duration_seconds_sum" + labels) > 0, "\(labels)")
                }
            }
            let plugins = "swiftlet_start_stage_duration_seconds_count{method=\"RunPodSandbox\",stage=\"plugin\"}"
            #expect(grown(plugins) >= 1)
            #expect(grown("swiftlet_supervisors_started_total") == 1 && after["swiftlet_supervisors"] == 1)
        }
        #expect(try await samples(node)["swiftlet_supervisors"] == 0)
    }

    @Test func `pulls are counted, with their bytes`() async throws {
        let node = try Node.current
        let image = "docker.io/swiftlet/volumes:latest"
        _ = try await node.call(CRIMethods.removeImage, .with { $0.image.image = image })
        let before = try await samples(node)
        _ = try await node.call(CRIMethods.pullImage, .with { $0.image.image = image })
        _ = try await node.refusal(
            of: CRIMethods.pullImage, .with { $0.image.image = "docker.io/swiftlet/none:latest" })
        let after = try await samples(node)
        func grown(_ name: String) -> Double { (after[name] ?? 0) - (before[name] ?? 0) }
        #expect(grown("swiftlet_image_pulls_started_total") == 2)
        #expect(grown("swiftlet_image_pulls_total{result=\"succeeded\"}") == 1)
        #expect(grown("swiftlet_image_pulls_total{result=\"failed\"}") == 1)
        #expect(grown("swiftlet_image_pull_bytes_total") > 0)
    }

    @Test func `a pod whose supervisor dies is a leak, found at once or at the next start, until it is released`()
        async throws
    {
        let node = try Node.current
        let before = try await samples(node)
        try await node.withPod("lost-while-running") { pod in
            _ = try await pod.start()
            #expect(kill(try node.supervisor(of: pod), SIGKILL) == 0)
            try await eventually("the loss is seen") { try await pod.status().state == .sandboxNotready }
            let after = try await samples(node)
            let found = "swiftlet_leaks_found_total{kind=\"lost_pod\",found_at=\"running\"}"
            #expect((after[found] ?? 0) - (before[found] ?? 0) == 1)
            #expect(after["swiftlet_supervisors"] == 0)
            try await pod.stop()
            let mended = "swiftlet_leaks_mended_total{kind=\"lost_pod\",found_at=\"running\"}"
            #expect((try await samples(node)[mended] ?? 0) - (before[mended] ?? 0) == 1)
        }
        try await node.withPod("lost-while-away") { pod in
            let supervisor = try node.supervisor(of: pod)
            try await node.endDaemon()
            #expect(kill(supervisor, SIGKILL) == 0)
            try await node.startDaemon()
            let samples = try await samples(node)
            for name in ["found", "mended"] {
                let series = "swiftlet_leaks_\(name)_total{kind=\"lost_pod\",found_at=\"recovery\"}"
                #expect(samples[series] == 1, "\(series)")
            }
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
