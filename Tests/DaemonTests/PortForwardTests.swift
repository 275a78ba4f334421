import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// PortForward with real clients and real servers.
    @Suite(.serialized) struct Forward {}
}

extension WholeDaemon.Forward {
    /// Talks to the first port of a URL: the data's channel is 0 and the errors' 1; both begin with the port's number.
    private static let forward = """
        def forward(url):
            client = WebSocket(url, "v4.channel.k8s.io")
            seen = {0: b"", 1: b""}
            def read(channel, size):
                while len(seen[channel]) < size:
                    message = client.receive()
                    if message is None: raise SystemExit(f"ended with {seen}")
                    seen[message[0]] += message[1]
                return seen[channel]
            return client, read


        """

    private func url(_ pod: Pod, _ port: Int32) async throws -> String {
        try await pod.node.call(
            CRIMethods.portForward,
            .with {
                $0.podSandboxID = pod.id
                $0.port = [port]
            }
        ).url
    }

    @Test func `a server in a pod is reached, whatever the pod's network is`() async throws {
        let node = try Node.current
        for network in [Runtime_V1_NamespaceMode.pod, .node] {
            try await node.withPod("forward", { $0.linux.securityContext.namespaceOptions.network = network }) { pod in
                let port: Int32 = 18_080
                let container = try await pod.start(["nc", "-ll", "-p", "\(port)", "-e", "cat"])
                try await eventually("it listens") {
                    try await container.sh("cat /proc/net/tcp /proc/net/tcp6").contains(":46A0 ")
                }
                try await node.leavesNoStreams {
                    let result = try await node.python(
                        Self.forward + """
                            client, read = forward(sys.argv[1])
                            assert read(0, 2) == struct.pack("<H", 18080)
                            data = os.urandom(60000)
                            client.send(0, data)
                            assert read(0, 2 + len(data))[2:] == data
                            print("same")
                            """, [try await url(pod, port)])
                    #expect(result.stdout == "same\n", "\(result)")
                }
            }
        }
    }

    @Test func `a port that nobody serves is refused with a sentence`() async throws {
        let node = try Node.current
        try await node.withPod("refused") { pod in
            let result = try await node.python(
                Self.forward + """
                    client, read = forward(sys.argv[1])
                    text = read(1, 12)
                    while not text.endswith(b"refused"): text = read(1, len(text) + 1)
                    print(text[2:].decode())
                    """, [try await url(pod, 9)])
            #expect(result.stdout.contains("connect to port 9 in pod"), "\(result)")
            #expect(result.stdout.contains("connection refused"), "\(result)")
        }
    }
}
