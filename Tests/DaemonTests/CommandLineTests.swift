import CRIProto
import Foundation
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// What the command line does beyond one call: copying, and leading ports to a pod.
    @Suite(.serialized) struct CommandLine {}
}

extension WholeDaemon.CommandLine {
    @Test func `files and directories are copied out and in, and no link leads astray`() async throws {
        let node = try Node.current
        try await node.withPod("copy") { pod in
            let container = try await pod.start {
                $0.linux.securityContext.runAsUser = .with { $0.value = 1234 }
                $0.linux.securityContext.runAsGroup = .with { $0.value = 567 }
                $0.mounts = [
                    .with {
                        $0.hostPath = node.work.path
                        $0.containerPath = "/volume"
                    }
                ]
            }
            let directory = try node.work.directory(node.unique("copy"))
            let result = try await node.shell(
                """
                set -e; cd \(directory); id=\(container.id)
                mkdir -p tree/sub; echo one >tree/one; echo two >tree/sub/two; chmod 750 tree/sub/two; ln -s sub/two tree/link
                ln -s /etc/hostname tree/absolute
                swiftlet cp tree $id:/tmp
                swiftlet exec $id sh -c 'cd /tmp/tree; cat one link; stat -c "%a %u %g" sub/two absolute; readlink absolute'
                swiftlet cp $id:/tmp/tree/. back; cat back/one back/link; ls back
                echo input | swiftlet cp - $id:/tmp/input; swiftlet cp $id:/tmp/input -
                swiftlet cp $id:/volume/\((directory as NSString).lastPathComponent)/tree/one -
                # A container's name for a file of this machine is none.
                swiftlet exec $id sh -c 'ln -s /../../../..\(directory)/tree/one /tmp/out'
                ! swiftlet cp $id:/tmp/out stolen || exit 9
                ! swiftlet cp $id:/proc/1/environ/x stolen || exit 9
                ! swiftlet cp $id:/none stolen || exit 9
                """)
            #expect(result.status == 0, "\(result)")
            #expect(
                result.stdout == """
                    one
                    two
                    750 1234 567
                    777 1234 567
                    /etc/hostname
                    one
                    two
                    link
                    one
                    sub
                    input
                    one

                    """)
            let errors = result.stderr.split(separator: "\n")
            #expect(errors.count == 4 && errors.allSatisfy { $0.hasPrefix("swiftlet: ") }, "\(result.stderr)")
            #expect(errors.first?.contains("a link that leads out of what is copied") == true)
        }
    }

    @Test(arguments: ["spdy", "websocket"])
    func `connections to a forwarded port reach the pod`(_ transport: String) async throws {
        let node = try Node.current
        try await node.withPod("ports-\(transport)") { pod in
            let container = try await pod.start(["nc", "-ll", "-p", "18080", "-e", "cat"])
            try await eventually("it listens") {
                try await container.sh("cat /proc/net/tcp /proc/net/tcp6").contains(":46A0 ")
            }
            let directory = try node.work.directory(node.unique("ports"))
            let result = try await node.leavesNothing {
                try await node.shell(
                    """
                    cd \(directory); mkfifo said
                    \(Node.binaries)/swiftlet port-forward -r \(transport) --address 127.0.0.1 \(pod.id) :18080 :18081 >said 2>errors &
                    exec 3<said; read -r first <&3; read -r second <&3
                    live=${first##*127.0.0.1:}; dead=${second##*127.0.0.1:}
                    python3 - ${live%% *} ${dead%% *} <<'END'
                    import os, socket, sys, threading
                    def exchange(data):
                        client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
                        threading.Thread(target=client.sendall, args=(data,)).start()
                        back = b""
                        while len(back) < len(data):
                            part = client.recv(65536)
                            assert part, f"ended after {len(back)} bytes of {len(data)}"
                            back += part
                        assert back == data
                        client.close()
                    # Two at a time: more do not fit into the queue of busybox's nc.
                    def several():
                        for n in range(8): exchange(os.urandom(200000 * n))
                    other = threading.Thread(target=several)
                    other.start(); several(); other.join()
                    assert socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=60).recv(1) == b""
                    print("done")
                    END
                    kill $!; wait $!; echo "status $?"; cat errors
                    """)
            }
            let lines = result.stdout.split(separator: "\n")
            #expect(lines.count == 3 && lines[0] == "done" && lines[1] == "status 143", "\(result)")
            #expect(lines.last?.hasPrefix("swiftlet: forward a connection to port 18081: ") == true, "\(result)")
        }
    }

    @Test func `run sends its input, and its end, to the command`() async throws {
        let node = try Node.current
        let result = try await node.leavesNothing {
            try await node.shell("seq 1 100000 | swiftlet run -i \(Node.busybox) -- sh -c 'wc -l; echo over; exit 4'")
        }
        #expect(result.status == 4 && result.stdout == "100000\nover\n" && result.stderr == "", "\(result)")
        let refused = try await node.shell("swiftlet run -it \(Node.busybox) sh")
        #expect(refused.status == 2 && refused.stderr.contains("the input is not a terminal"), "\(refused)")
    }

    @Test func `run hands its terminal over to the command`() async throws {
        let node = try Node.current
        let result = try await node.leavesNothing {
            // script(1) gives the client a terminal of its own; the command waits for what is typed.
            try await node.shell(
                "echo word | SHELL=/bin/sh script -qec '\(Node.binaries)/swiftlet run -it \(Node.busybox) -- "
                    + "sh -c \"read a; tty; echo got \\$a; exit 5\"' /dev/null")
        }
        #expect(result.status == 5 && result.stdout.contains("/dev/pts/0\r\ngot word\r\n"), "\(result)")
    }
}
