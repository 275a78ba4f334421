import CRIProto
import Foundation
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Inspection {}
}

/// What a kubelet's statistics collector reads beside the CRI, by an HTTP client that is not ours.
extension WholeDaemon.Inspection {
    @Test func `the collector learns where images are, and each container's and sandbox's names and process`()
        async throws
    {
        let node = try Node.current
        let info = try await get("/info").object()
        #expect(info["storage_driver"] is String && info["storage_image"] is String)
        #expect(info["storage_root"] as? String == node.root + "/lib")
        try await node.withPod("inspected") { pod in
            let container = try await pod.start { $0.annotations["note"] = "of the container" }
            let status = try await pod.status()
            let found = try await get("/containers/" + container.id).object()
            #expect(found["pid"] as? Int == Int(try await container.process()))
            #expect(found["image"] as? String == Node.busybox)
            #expect(found["labels"] as? [String: String] == (try await container.status()).labels)
            #expect(found["annotations"] as? [String: String] == ["note": "of the container"])
            #expect(found["log_path"] as? String == container.logPath)
            #expect(found["created_time"] as? Int64 == (try await container.status()).createdAt)
            #expect(found["ip_address"] as? String == status.network.ip)
            let upper = try #require(found["root"] as? String)
            #expect(FileManager.default.fileExists(atPath: node.path(upper)))

            let sandbox = try await get("/containers/" + pod.id).object()
            let labels = try #require(sandbox["labels"] as? [String: String])
            #expect(labels["io.kubernetes.container.name"] == "POD")
            for (key, value) in status.labels { #expect(labels[key] == value) }
            #expect(sandbox["ip_addresses"] as? [String] == [status.network.ip])
            // Network counters are those that this process sees.
            let host = try node.hostProcess(Int32(try #require(sandbox["pid"] as? Int)))
            #expect(host == (try node.supervisor(of: pod)))
            let own = try node.hostProcess(try await container.process())
            #expect(Processes.link(host, "ns/net") == Processes.link(own, "ns/net"))

            let created = try await pod.create(pod.containerConfig())
            #expect(try await get("/containers/" + created.id).object()["pid"] as? Int == 0)
        }
    }

    @Test func `a sandbox is known while it is made, since its cgroup is seen already`() async throws {
        let node = try Node.current
        // The plugin that gives addresses waits for this lock.
        let lock = try #require(
            try await node.succeed("sh", "-c", "ls \(node.root)/addresses/*/lock").split(separator: "\n").first)
        let held = open(node.path(String(lock)), O_RDONLY | O_CLOEXEC)
        #expect(held >= 0 && flock(held, LOCK_EX) == 0)
        let config = try node.podConfig("in-the-making")
        let pods = node.path(node.state + "/run/pods")
        let before = Set(try FileManager.default.contentsOfDirectory(atPath: pods))
        async let made = node.runPod(config)
        var id: String?
        try await eventually("the sandbox begins") {
            id = try FileManager.default.contentsOfDirectory(atPath: pods).first { !before.contains($0) }
            return id != nil
        }
        let reply = try await get("/containers/" + (id ?? ""))
        #expect(try await node.call(CRIMethods.listPodSandbox, .init()).items.isEmpty)
        close(held)
        let pod = try await made
        #expect(pod.id == id)
        let labels = try #require(try reply.object()["labels"] as? [String: String])
        #expect(labels["io.kubernetes.container.name"] == "POD")
        try await pod.remove()
        #expect(try await get("/containers/" + pod.id).status == 404)
    }

    @Test(
        arguments: [
            ("GET", "/containers/" + String(repeating: "0", count: 64), 404), ("GET", "/containers/", 404),
            ("GET", "/containers/../info", 404), ("GET", "/", 404), ("GET", "/infos", 404),
            ("GET", "/containers/" + String(repeating: "a", count: 60_000), 404), ("POST", "/info", 405),
            ("DELETE", "/containers/x", 405), ("GET", "/info?a=b", 200), ("HEAD", "/info", 200),
        ]) func `nothing but the two documents is there, and nothing can be changed`(
            method: String, path: String, status: Int
        ) async throws
    {
        #expect(try await get(path, method: method).status == status)
    }

    @Test func `the socket is root's, its connections are few, and broken requests do no harm`() async throws {
        let node = try Node.current
        let attributes = try FileManager.default.attributesOfItem(atPath: socket(node))
        #expect(attributes[.posixPermissions] as? Int == 0o660 && attributes[.ownerAccountID] as? Int == 0)
        let script = """
            import socket, sys
            def connect():
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(60)
                s.connect(sys.argv[1])
                return s
            def answers(s):
                try:
                    s.sendall(b"GET /info HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n")
                    return s.recv(100).startswith(b"HTTP/1.1 200")
                except OSError:
                    return False
            s = connect()
            s.sendall(b"\\0\\1 nonsense\\r\\n\\r\\n")
            print("bad", s.recv(100).split(b" ")[1:2])
            while s.recv(100): pass
            s = connect()
            s.sendall(b"POST /info HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 9999999\\r\\n\\r\\n")
            try:
                while s.send(b"x" * 65536): pass
            except OSError:
                print("body refused")
            held = []
            while len(held) < 100:
                s = connect()
                held.append(s)
                if not answers(s): break
            print("connections", len(held))
            for s in held: s.close()
            while True:
                s = connect()
                if answers(s): break
            print("again")
            """
        let result = try await Commands.run(["python3", "-c", script, socket(node)], output: node.work)
        #expect(result.stdout == "bad [b'400']\nbody refused\nconnections 17\nagain\n", "\(result.stderr)")
    }

    private func socket(_ node: Node) -> String { node.state + "/inspect.sock" }

    private struct Reply {
        var status: Int
        var body: String

        func object() throws -> [String: Any] {
            guard status == 200,
                let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
            else { throw TestFailure("status \(status): \(body)") }
            return object
        }
    }

    private func get(_ path: String, method: String = "GET") async throws -> Reply {
        let node = try Node.current
        let script = """
            import http.client, socket, sys
            class Connection(http.client.HTTPConnection):
                def connect(self):
                    self.sock = socket.socket(socket.AF_UNIX)
                    self.sock.connect(sys.argv[1])
            c = Connection("runtime", timeout=60)
            c.request(sys.argv[2], sys.argv[3])
            r = c.getresponse()
            print(r.status)
            print(r.read().decode())
            """
        let result = try await Commands.run(
            ["python3", "-c", script, socket(node), method, path], output: node.work)
        let lines = result.stdout.split(separator: "\n", maxSplits: 1)
        guard let status = lines.first.flatMap({ Int($0) }) else { throw TestFailure("\(result.stderr)") }
        return Reply(status: status, body: lines.count > 1 ? String(lines[1]) : "")
    }
}
