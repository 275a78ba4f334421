import CRIProto
import Foundation
import Linux
import SwiftProtobuf
import TestKit

/// Clients of the streaming server. It listens on the loopback of the node, where they are run.
extension Node {
    /// Runs a shell script in the node, in which `swiftlet` is our command line for its daemon.
    func shell(_ script: String) async throws -> CommandResult {
        let front =
            "export CONTAINER_RUNTIME_ENDPOINT=unix://\(socket); swiftlet() { \(Node.binaries)/swiftlet \"$@\"; }; "
        return try await run("sh", "-c", front + script)
    }

    /// Runs a Python program in the node, with `WebSocket` and this node's words for it as arguments.
    func python(_ program: String, _ arguments: [String]) async throws -> CommandResult {
        try await Commands.run(
            inside(["python3", "-c", Self.webSocket + program] + arguments), output: work)
    }

    /// As `python`, but does not wait for its end.
    func startPython(_ program: String, _ arguments: [String], output: String) throws -> Process {
        try Commands.start(
            inside(["python3", "-c", Self.webSocket + program] + arguments), stdout: output, stderr: output)
    }

    /// The least that a client of the protocol is (RFC 6455).
    private static let webSocket = """
        import os, socket, struct, sys
        from urllib.parse import urlparse

        class WebSocket:
            def __init__(self, url, protocol, wait=True):
                at = urlparse(url)
                self.socket = socket.create_connection((at.hostname, at.port), timeout=60)
                path = at.path + ("?" + at.query if at.query else "")
                self.socket.sendall((
                    f"GET {path} HTTP/1.1\\r\\nHost: {at.netloc}\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
                    f"Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n"
                    f"Sec-WebSocket-Protocol: {protocol}\\r\\n\\r\\n").encode())
                self.rest = b""
                if not wait: return
                while b"\\r\\n\\r\\n" not in self.rest: self.more()
                head, self.rest = self.rest.split(b"\\r\\n\\r\\n", 1)
                if b" 101 " not in head.split(b"\\r\\n")[0]: raise SystemExit(head.decode() + self.rest.decode())

            def more(self):
                part = self.socket.recv(65536)
                if not part: raise EOFError
                self.rest += part

            def take(self, size):
                while len(self.rest) < size: self.more()
                part, self.rest = self.rest[:size], self.rest[size:]
                return part

            def send(self, channel, data):
                payload = bytes([channel]) + data
                mask = os.urandom(4)
                size = struct.pack("!B", 0x80 | len(payload)) if len(payload) < 126 else struct.pack("!BH", 0xfe, len(payload))
                self.socket.sendall(b"\\x82" + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

            def receive(self):
                # The channel and the data of the next message; None at the end.
                while True:
                    try: first, second = self.take(2)
                    except EOFError: return None
                    size = second & 0x7f
                    if size == 126: size, = struct.unpack("!H", self.take(2))
                    elif size == 127: size, = struct.unpack("!Q", self.take(8))
                    payload = self.take(size)
                    if first & 0xf == 8: return None
                    if first & 0xf in (1, 2) and payload: return payload[0], payload[1:]


        """
}

extension Container {
    /// A URL for a command with these streams.
    func execURL(_ command: [String], _ change: (inout Runtime_V1_ExecRequest) -> Void) async throws -> String {
        try await node.call(
            CRIMethods.exec,
            .with {
                $0.containerID = id
                $0.cmd = command
                change(&$0)
            }
        ).url
    }

    /// The cgroups of execs below the container's, those that are left for later ones among them; by name.
    func execLeaves() -> [String] {
        node.cgroups(below: node.cgroupParent).filter { $0.contains("\(id)/exec-") }
            .compactMap { $0.split(separator: "/").last.map(String.init) }.sorted()
    }

    /// Their inodes: one that was made anew has another.
    func execLeafNumbers() throws -> [UInt64] {
        try node.cgroups(below: node.cgroupParent).filter { $0.contains("\(id)/exec-") }.map {
            try OwnedFD.open(Path("\(node.cgroupMount)/\(node.cgroupParent)/\($0)"), [.path]).status().inode
        }
    }
}

extension Node {
    /// Runs a body after which its clients are gone, and demands that nothing of them stays with the daemon.
    func leavesNoStreams<T>(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T) async throws
        -> T
    {
        func descriptors() throws -> Int {
            guard let daemon = daemonProcess() else { throw TestFailure("no daemon runs") }
            return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon)/fd").filter {
                Processes.link(daemon, "fd/\($0)").hasPrefix("pipe:")
            }.count
        }
        let before = try descriptors()
        let result = try await body()
        try await eventually("the daemon has \(before) pipes, as before") { try descriptors() <= before }
        return result
    }
}

extension Node {
    /// Bytes of the daemon's that are in memory.
    func daemonMemory() throws -> Int {
        guard let daemon = daemonProcess() else { throw TestFailure("no daemon runs") }
        let status = String(decoding: try readFile("/proc/\(daemon)/status"), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let number = line?.split(separator: " ").dropLast().last.flatMap { Int($0) }
        guard let number else { throw TestFailure("no VmRSS in the status of process \(daemon)") }
        return number << 10
    }
}
