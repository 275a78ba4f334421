import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// Exec, Attach and PortForward with real clients.
    @Suite(.serialized) struct Streams {}
}

extension WholeDaemon.Streams {
    @Test(arguments: ["spdy", "websocket"])
    func `exec carries input, both outputs and the exit code`(_ transport: String) async throws {
        let node = try Node.current
        try await node.withPod("exec-\(transport)") { pod in
            let container = try await pod.start()
            // The first exec leaves a cgroup to the next.
            try await container.exec("true")
            let result = try await node.leavesNothing {
                try await node.shell(
                    "printf 'one two' | swiftlet exec -i -r \(transport) \(container.id) sh -c "
                        + "'cat; echo; echo err >&2; exit 7'")
            }
            #expect(result.status == 7)
            #expect(result.stdout == "one two\n")
            #expect(result.stderr == "err\n")
            #expect(container.execLeaves() == ["exec-0"])
        }
    }

    @Test(arguments: ["spdy", "websocket"])
    func `much output arrives whole`(_ transport: String) async throws {
        let node = try Node.current
        try await node.withPod("much-\(transport)") { pod in
            let container = try await pod.start()
            let result = try await node.shell(
                "swiftlet exec -r \(transport) \(container.id) sh -c 'seq 1 2000000; echo done >&2' | md5sum; "
                    + "seq 1 2000000 | md5sum")
            let sums = result.stdout.split(separator: "\n")
            #expect(sums.count == 2 && sums[0] == sums[1])
            #expect(result.stderr == "done\n")
        }
    }

    @Test(arguments: ["spdy", "websocket"])
    func `exec in a terminal has one, with the client's size`(_ transport: String) async throws {
        let node = try Node.current
        try await node.withPod("tty-\(transport)") { pod in
            let container = try await pod.start()
            // The first exec leaves a cgroup to the next.
            try await container.exec("true")
            let result = try await node.leavesNothing {
                // script(1) gives the client a terminal of its own.
                try await node.shell(
                    "export SHELL=/bin/sh; stty() { :; }; script -qec \"stty rows 33 cols 123; "
                        + "\(Node.binaries)/swiftlet exec -it -r \(transport) \(container.id) sh -c "
                        + "'tty; until [ \\\"\\$(stty size 2>/dev/null)\\\" = \\\"33 123\\\" ]; do usleep 1000; done; "
                        + "echo err >&2; exit 5'\" /dev/null")
            }
            #expect(result.status == 5, "\(result)")
            // script(1) types a NUL when its own input has ended; the terminal echoes it.
            let said = result.stdout.replacingOccurrences(of: "^@", with: "")
            let lines = said.split(whereSeparator: \.isNewline)
            #expect(lines == ["/dev/pts/0", "err"], "\(result)")
        }
    }

    @Test func `a command that cannot be executed is said to the client`() async throws {
        let node = try Node.current
        try await node.withPod("no-command") { pod in
            let container = try await pod.start()
            for tty in ["", "-t "] {
                let result = try await node.leavesNothing {
                    try await node.shell("swiftlet exec \(tty)\(container.id) /no/such/program")
                }
                #expect(result.status != 0 && result.stderr.contains("/no/such/program"), "\(result)")
            }
        }
    }

    @Test func `two hundred execs whose clients go leave nothing`() async throws {
        let node = try Node.current
        try await node.withPod("aborted") { pod in
            let container = try await pod.start()
            try await node.leavesNothing {
                var urls: [String] = []
                for index in 0..<200 {
                    urls.append(
                        try await container.execURL(["sh", "-c", "sleep 1000 & echo begun; exec sleep 1000"]) {
                            $0.stdin = true
                            $0.stdout = true
                            $0.stderr = index % 2 == 0
                            $0.tty = index % 2 == 1
                        })
                }
                // They go before the answer, right after it, and when the command has begun.
                let result = try await node.python(
                    """
                    for index, url in enumerate(sys.argv[1:]):
                        client = WebSocket(url, "v4.channel.k8s.io", wait=index % 3 > 0)
                        if index % 3 == 2:
                            while b"begun" not in client.receive()[1]: pass
                        client.socket.close()
                    """, urls)
                #expect(result.status == 0, "\(result)")
                // Awaited with the rest of what is to be gone.
                try await eventually("all are killed") { node.processes(named: "sleep").isEmpty }
            }
            #expect(container.execLeaves() == [])
            #expect(try await container.status().state == .containerRunning)
        }
    }

    @Test func `a thousand clients that go leave nothing, and no daemon that has grown`() async throws {
        let node = try Node.current
        try await node.withPod("thousand") { pod in
            let server = try await pod.start(["nc", "-ll", "-p", "18080", "-e", "cat"])
            let container = try await pod.start { $0.stdin = true }
            try await eventually("it listens") {
                try await server.sh("cat /proc/net/tcp /proc/net/tcp6").contains(":46A0 ")
            }
            try await node.leavesNothing {
                var memory = 0
                for round in 0..<10 {
                    // What the first ones make is kept for all.
                    if round == 2 { memory = try node.daemonMemory() }
                    var urls: [String] = []
                    for number in 0..<100 { urls.append(try await url(number % 5, container, pod)) }
                    let result = try await node.python(
                        """
                        frame = b"\\x82\\xfe" + struct.pack("!H", 10001) + bytes(4) + bytes(10001)
                        for index, url in enumerate(sys.argv[1:]):
                            client = WebSocket(url, "v4.channel.k8s.io", wait=index % 4 > 0)
                            if index % 4 == 1:
                                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                            elif index % 4 == 2:
                                client.socket.shutdown(socket.SHUT_WR)
                                while client.socket.recv(65536): pass
                            elif index % 4 == 3:
                                client.socket.sendall(frame * 100)
                            client.socket.close()
                        """, urls)
                    #expect(result.status == 0, "\(result)")
                }
                try await eventually("all are killed") { node.processes(named: "sleep").isEmpty }
                let growth = try node.daemonMemory() - memory
                #expect(growth < 16 << 20, "the daemon has grown by \(growth) bytes")
            }
            #expect(container.execLeaves() == [])
            #expect(try await container.status().state == .containerRunning)
        }
    }

    /// Two execs, two attaches and a forwarded port of five.
    private func url(_ kind: Int, _ container: Container, _ pod: Pod) async throws -> String {
        switch kind {
        case 0, 1:
            return try await container.execURL(["sleep", "1000"]) {
                $0.stdin = true
                $0.stdout = true
                $0.tty = kind == 1
            }
        case 2, 3:
            return try await pod.node.call(
                CRIMethods.attach,
                .with {
                    $0.containerID = container.id
                    $0.stdin = kind == 2
                    $0.stdout = true
                    $0.stderr = true
                }
            ).url
        default:
            return try await pod.node.call(
                CRIMethods.portForward,
                .with {
                    $0.podSandboxID = pod.id
                    $0.port = [18080]
                }
            ).url
        }
    }

    @Test func `an exec whose client floods an input that nobody reads and goes is killed`() async throws {
        let node = try Node.current
        try await node.withPod("flood") { pod in
            let container = try await pod.start()
            try await node.leavesNothing {
                let url = try await container.execURL(["sleep", "1000"]) {
                    $0.stdin = true
                    $0.stdout = true
                }
                let result = try await node.python(
                    """
                    client = WebSocket(sys.argv[1], "v4.channel.k8s.io")
                    # Or else the kernel says by RST that nobody will read it.
                    client.receive()
                    frame = b"\\x82\\xff" + struct.pack("!Q", 1 << 20) + bytes(4) + bytes(1 << 20)
                    client.socket.settimeout(0)
                    window = lambda: struct.unpack("I", client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)[228:])[0]
                    rest = frame
                    while True:
                        try: rest = rest[client.socket.send(rest):] or frame
                        except BlockingIOError:
                            if window() == 0: break
                    """, [url])
                #expect(result.status == 0, "\(result)")
                try await eventually("it is killed", within: .seconds(60)) {
                    node.processes(named: "sleep").isEmpty
                }
            }
        }
    }

    @Test func `a descendant outlives its exec, and its cgroup is used again when it is gone`() async throws {
        let node = try Node.current
        try await node.withPod("descendant") { pod in
            let container = try await pod.start()
            let result = try await node.shell(
                "swiftlet exec \(container.id) sh -c 'sleep 1000 >/dev/null 2>&1 & echo begun'")
            #expect(result.status == 0 && result.stdout == "begun\n")
            // It may still be the shell that was forked.
            try await eventually("it sleeps") { node.processes(named: "sleep").count == 1 }
            try await container.sh("kill -9 $(pidof sleep)")
            try await eventually("it is gone") { node.processes(named: "sleep").isEmpty }
            #expect(try await container.sh("cut -d/ -f2 /proc/self/cgroup | tail -n 1") == "exec-0")
            #expect(container.execLeaves() == ["exec-0", "exec-1"])
        }
    }

    @Test func `an exec of a daemon that was killed is ended by the next`() async throws {
        let node = try Node.current
        try await node.withPod("orphan") { pod in
            let container = try await pod.start()
            let url = try await container.execURL(["sh", "-c", "sleep 1000 & echo begun; exec sleep 1000"]) {
                $0.stdout = true
            }
            let said = try node.work.write("", to: node.unique("said"))
            let client = try node.startPython(
                """
                client = WebSocket(sys.argv[1], "v4.channel.k8s.io")
                while (message := client.receive()) is not None: print(message, flush=True)
                """, [url], output: said)
            try await eventually("it has begun") {
                String(decoding: try readFile(said), as: UTF8.self).contains("begun")
            }
            try await node.endDaemon()
            try await eventually("the client sees the end") { !client.isRunning }
            try await node.startDaemon()
            try await eventually("it is ended with its child") { node.processes(named: "sleep").isEmpty }
            try await eventually("its cgroup is removed") { container.execLeaves().isEmpty }
            #expect(try await container.sh("echo alive") == "alive")
        }
    }
}
