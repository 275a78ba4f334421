import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Exec {}
}

extension WholeDaemon.Exec {
    @Test func `exit code and both streams come back`() async throws {
        try await Node.current.withPod("exec") { pod in
            let container = try await pod.start()
            let response = try await container.execResponse(["sh", "-c", "echo out; echo err >&2; exit 42"])
            #expect(response.exitCode == 42)
            #expect(String(decoding: response.stdout, as: UTF8.self) == "out\n")
            #expect(String(decoding: response.stderr, as: UTF8.self) == "err\n")
            #expect(try await container.execResponse(["sh", "-c", "kill -9 $$"]).exitCode == 137)
            // A megabyte, more than any pipe holds.
            #expect(try await container.execResponse(["head", "-c", "1048576", "/dev/zero"]).stdout.count == 1 << 20)
        }
    }

    @Test func `a command that runs too long is killed with all its descendants`() async throws {
        try await Node.current.withPod("timeout") { pod in
            let container = try await pod.start()
            let status = try await pod.node.refusal(
                of: CRIMethods.execSync,
                .with {
                    $0.containerID = container.id
                    // Many, so that their death takes its time.
                    $0.cmd = [
                        "sh", "-c",
                        "trap '' TERM; for i in $(seq 100); do setsid sleep 2000 & (sleep 2000 &) ; done; sleep 2000",
                    ]
                    $0.timeout = 1
                })
            #expect(status.code == .deadlineExceeded)
            #expect(pod.node.processes(named: "sleep").isEmpty)
            #expect(pod.node.cgroups(below: pod.node.cgroupParent).filter { $0.contains("exec-") } == [])
            #expect(try await container.status().state == .containerRunning)
        }
    }

    @Test func `the cgroup of an exec is the next one's too, unless it was killed`() async throws {
        try await Node.current.withPod("leaf") { pod in
            let container = try await pod.start()
            let place = "cut -d: -f3 /proc/self/cgroup | tail -n 1"
            #expect(try await container.sh(place) == "/exec-0")
            let first = try container.execLeafNumbers()
            #expect(try await container.sh(place) == "/exec-0")
            #expect(try container.execLeafNumbers() == first)
            let killed = try await container.execResponse(["sh", "-c", "kill -9 $$"])
            #expect(killed.exitCode == 137)
            #expect(container.execLeaves() == [])
            // What fails to start may owe it to its cgroup.
            _ = try await pod.node.refusal(
                of: CRIMethods.execSync, .with { ($0.containerID, $0.cmd) = (container.id, ["/no/such/program"]) })
            #expect(container.execLeaves() == [])
            #expect(try await container.sh(place) == "/exec-0")
            let last = try container.execLeafNumbers()
            #expect(last.count == 1 && last != first)
        }
    }

    @Test func `what is kept of an exec for the next goes with the container`() async throws {
        try await Node.current.withPod("kept") { pod in
            let daemon = try #require(pod.node.daemonProcess())
            let container = try await pod.start()
            let kept = { Processes.openFiles(daemon).filter { $0.contains(container.id) && $0.contains("/exec-") } }
            for _ in 0..<3 { try await container.exec("true") }
            let names = kept().compactMap { $0.split(separator: "/").last }
            #expect(names == ["exec-0", "cgroup.events", "cgroup.procs"], "\(kept())")
            // Ten at once have a cgroup each, of which not all are kept.
            try await withThrowingTaskGroup { group in
                for _ in 0..<10 {
                    group.addTask { try await container.sh("until [ -e /go ]; do usleep 20000; done") }
                }
                try await eventually("ten run") { container.execLeaves().count == 10 }
                try await container.sh("touch /go")
                for try await _ in group {}
            }
            #expect(Set(kept()).count == 8 * 3, "\(kept())")
            #expect(container.execLeaves().count == 8)
            try await container.stop()
            try await eventually("nothing is kept") { kept().isEmpty }
        }
    }

    @Test func `a descendant that keeps the pipes open does not hold the answer`() async throws {
        try await Node.current.withPod("held-pipes") { pod in
            let container = try await pod.start()
            let response = try await container.execResponse(["sh", "-c", "sleep 2000 & echo started"])
            #expect(response.exitCode == 0)
            #expect(String(decoding: response.stdout, as: UTF8.self) == "started\n")
        }
    }

    @Test func `what cannot be executed is refused with its reason`() async throws {
        try await Node.current.withPod("no-command") { pod in
            let container = try await pod.start()
            let request = { (command: String) in
                Runtime_V1_ExecSyncRequest.with {
                    $0.containerID = container.id
                    $0.cmd = [command]
                }
            }
            let absent = try await pod.node.refusal(of: CRIMethods.execSync, request("/no/such/program"))
            #expect(absent.code != .ok && absent.message.contains("/no/such/program"), "\(absent)")
            let text = try await pod.node.refusal(of: CRIMethods.execSync, request("/etc/passwd"))
            #expect(text.code != .ok && text.message.contains("/etc/passwd"), "\(text)")
            try await container.stop()
            #expect(try await pod.node.refusal(of: CRIMethods.execSync, request("true")).code == .failedPrecondition)
        }
    }

    @Test func `an exec's process is in the container and has nothing but its streams`() async throws {
        try await Node.current.withPod("descriptors") { pod in
            let container = try await pod.start()
            #expect(try await container.sh("ls /proc/self/fd | tr '\\n' ' '") == "0 1 2 3 ")
            #expect(try await container.sh("ls /proc/1/fd | tr '\\n' ' '") == "0 1 2 ")
            #expect(try await container.sh("cd /proc/self/cwd && pwd -P") == "/")
            for name in ["mnt", "pid", "net", "ipc", "uts", "cgroup"] {
                let own = try await container.exec("readlink", "/proc/self/ns/\(name)")
                #expect(try await container.exec("readlink", "/proc/1/ns/\(name)") == own)
            }
        }
    }
}
