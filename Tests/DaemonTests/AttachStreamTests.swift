import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// Attach with real clients.
    @Suite(.serialized) struct Attach {}
}

extension Container {
    /// A URL for the container's own streams.
    fileprivate func attachURL(_ change: (inout Runtime_V1_AttachRequest) -> Void) async throws -> String {
        try await node.call(
            CRIMethods.attach,
            .with {
                $0.containerID = id
                change(&$0)
            }
        ).url
    }

    fileprivate func inputAndOutput() async throws -> String {
        try await attachURL {
            $0.stdin = true
            $0.stdout = true
        }
    }
}

extension WholeDaemon.Attach {
    /// Reads lines of the container's output until one is there.
    private static let readLine = """
        def read_line(client):
            line = b""
            while not line.endswith(b"\\n"):
                channel, data = client.receive()
                if channel == 1: line += data
            return line.decode().strip()


        """

    @Test(arguments: ["spdy", "websocket"])
    func `the input of a container that was made for one client ends with it`(_ transport: String) async throws {
        let node = try Node.current
        try await node.withPod("once-\(transport)") { pod in
            let container = try await pod.start(["sh", "-c", "cat; echo ended; exit 3"]) {
                $0.stdin = true
                $0.stdinOnce = true
            }
            let result = try await node.leavesNoStreams {
                try await node.shell("printf 'one\\ntwo\\n' | swiftlet attach -i -r \(transport) \(container.id)")
            }
            #expect(result.stdout == "one\ntwo\nended\n", "\(result)")
            #expect(try await container.ended().exitCode == 3)
            #expect(try container.log().map(\.text) == ["one", "two", "ended"])
        }
    }

    @Test func `a client that goes without a word ends the input too, and no second one gets it`() async throws {
        let node = try Node.current
        try await node.withPod("once-gone") { pod in
            let container = try await pod.start(["sh", "-c", "cat; echo ended"]) {
                $0.stdin = true
                $0.stdinOnce = true
            }
            let urls = try await [container.inputAndOutput(), container.inputAndOutput()]
            let result = try await node.python(
                Self.readLine + """
                    first = WebSocket(sys.argv[1], "v4.channel.k8s.io")
                    first.send(0, b"hello\\n")
                    print(read_line(first))
                    second = WebSocket(sys.argv[2], "v4.channel.k8s.io")
                    while (message := second.receive()) is not None:
                        if message[0] == 3: print(message[1].decode())
                    first.socket.close()
                    """, urls)
            #expect(result.stdout.hasPrefix("hello\n") && result.stdout.contains("stdin_once"), "\(result)")
            #expect(try await container.ended().exitCode == 0)
            #expect(try container.log().map(\.text) == ["hello", "ended"])
        }
    }

    @Test func `many clients share a container, whose input stays open from one to the next`() async throws {
        let node = try Node.current
        try await node.withPod("shared") { pod in
            let container = try await pod.start(["sh", "-c", "cat; echo ended"]) { $0.stdin = true }
            try await node.leavesNoStreams {
                var urls: [String] = []
                for _ in 0..<6 { urls.append(try await container.inputAndOutput()) }
                let result = try await node.python(
                    Self.readLine + """
                        watchers = [WebSocket(url, "v4.channel.k8s.io") for url in sys.argv[1:5]]
                        for index, url in enumerate(sys.argv[5:]):
                            writer = WebSocket(url, "v4.channel.k8s.io")
                            writer.send(0, b"line %d\\n" % index)
                            for client in watchers + [writer]: print(read_line(client))
                            writer.socket.close()
                        """, urls)
                let expected = String(repeating: "line 0\n", count: 5) + String(repeating: "line 1\n", count: 5)
                #expect(result.status == 0 && result.stdout == expected, "\(result)")
            }
            #expect(try await container.status().state == .containerRunning)
            #expect(try container.log().map(\.text) == ["line 0", "line 1"])
        }
    }

    @Test func `a client that does not read is cut off and told so, and the container is not held up`() async throws {
        let node = try Node.current
        try await node.withPod("slow") { pod in
            let last = 2_000_000
            let container = try await pod.start(["sh", "-c", "read go; seq 1 \(last); exit 4"]) { $0.stdin = true }
            let said = try node.work.write("", to: node.unique("said"))
            let url = try await container.inputAndOutput()
            let client = try node.startPython(
                """
                client = WebSocket(sys.argv[1], "v4.channel.k8s.io")
                client.send(0, b"\\n")
                # Not a byte is read before the container has ended: it was written to then.
                while not os.path.exists(sys.argv[2]): pass
                size = 0
                while (message := client.receive()) is not None:
                    if message[0] == 1: size += len(message[1])
                    if message[0] == 3: print(message[1].decode())
                print(size)
                """, [url, node.work.path("read")], output: said)
            #expect(try await container.ended().exitCode == 4)
            #expect(try container.countLogged() == last)
            _ = try node.work.write("", to: "read")
            try await eventually("the client ends") { !client.isRunning }
            let text = String(decoding: try readFile(said), as: UTF8.self)
            #expect(text.contains("Failure") && text.contains("did not keep up"), "\(text)")
        }
    }

    @Test func `a terminal is attached to, and has the client's size`() async throws {
        let node = try Node.current
        try await node.withPod("terminal") { pod in
            let script = """
                stty -echo; echo ready; read line; echo "got $line"
                until [ "$(stty size 2>/dev/null)" = "33 123" ]; do usleep 1000; done; stty size; read end
                """
            let container = try await pod.start(["sh", "-c", script]) {
                $0.stdin = true
                $0.stdinOnce = true
                $0.tty = true
            }
            try await eventually("ready") { try container.log().contains { $0.text.hasPrefix("ready") } }
            let url = try await container.attachURL {
                $0.stdin = true
                $0.stdout = true
                $0.tty = true
            }
            let result = try await node.python(
                Self.readLine + """
                    client = WebSocket(sys.argv[1], "v4.channel.k8s.io")
                    client.send(0, b"hello\\n")
                    print(read_line(client))
                    client.send(4, b'{"Width":123,"Height":33}')
                    print(read_line(client))
                    client.send(0, b"\\n")
                    while (message := client.receive()) is not None: pass
                    """, [url])
            #expect(result.stdout == "got hello\n33 123\n", "\(result)")
            #expect(try await container.ended().exitCode == 0)
        }
    }

    @Test func `a daemon that is killed takes its clients along and nothing of the container`() async throws {
        let node = try Node.current
        try await node.withPod("restart") { pod in
            let container = try await pod.start(["sh", "-c", "cat; echo ended"]) { $0.stdin = true }
            let said = try node.work.write("", to: node.unique("said"))
            let client = try node.startPython(
                Self.readLine + """
                    client = WebSocket(sys.argv[1], "v4.channel.k8s.io")
                    client.send(0, b"before\\n")
                    print(read_line(client), flush=True)
                    while client.receive() is not None: pass
                    """, [try await container.inputAndOutput()], output: said)
            try await container.logged("before")
            try await eventually("the client has it") { try readFile(said) == Array("before\n".utf8) }
            try await node.restartDaemon()
            try await eventually("the client sees the end") { !client.isRunning }
            let result = try await node.python(
                Self.readLine + """
                    client = WebSocket(sys.argv[1], "v4.channel.k8s.io")
                    client.send(0, b"after\\n")
                    print(read_line(client))
                    """, [try await container.inputAndOutput()])
            #expect(result.stdout == "after\n", "\(result)")
            #expect(try container.log().map(\.text) == ["before", "after"])
        }
    }
}
