import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Restart {}
}

extension WholeDaemon.Restart {
    @Test(arguments: [SIGKILL, SIGTERM]) func `containers run on while the daemon is away and their log is whole`(
        signal: Int32
    ) async throws {
        let node = try Node.current
        try await node.withPod("survivor") { pod in
            let container = try await pod.start(["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); usleep 1000; done"])
            try await container.logged("50")
            let process = try await container.process()
            let host = try node.hostProcess(process)
            let before = try await container.status()
            let started = try #require(Processes.startTime(host))

            try await node.endDaemon(signal)
            let written = try container.log().count
            try await eventually("the log grows without a daemon") { try container.log().count > written + 100 }
            try await node.startDaemon()

            #expect(try await container.process() == process)
            #expect(Processes.startTime(host) == started)
            let after = try await container.status()
            #expect(after == before)
            #expect(try await pod.status().state == .sandboxReady)
            #expect(try await container.exec("echo", "exec works") == "exec works")
            let seen = try container.log().count
            try await eventually("the log grows under the new daemon") { try container.log().count > seen + 100 }
            try await container.stop(timeout: 0)
            let log = try container.log()
            #expect(log.map(\.text) == (0..<log.count).map(String.init))
            #expect(log.allSatisfy { $0.tag == "F" && $0.stream == "stdout" })
        }
    }

    @Test func `a container that ends while the daemon is away has its real exit code and time`() async throws {
        let node = try Node.current
        try await node.withPod("ends-alone") { pod in
            let gate = try node.work.directory(node.unique("gate"))
            let container = try await pod.start(["sh", "-c", "until [ -e /gate/open ]; do usleep 5000; done; exit 33"])
            {
                $0.mounts = [
                    .with {
                        $0.hostPath = gate
                        $0.containerPath = "/gate"
                    }
                ]
            }
            let host = try node.hostProcess(try await container.process())
            try await node.endDaemon()
            let earliest = nanoseconds()
            #expect(FileManager.default.createFile(atPath: gate + "/open", contents: nil))
            try await eventually("the process ends") { !FileManager.default.fileExists(atPath: "/proc/\(host)") }
            let latest = nanoseconds()
            try await node.startDaemon()
            let status = try await container.status()
            #expect(status.state == .containerExited)
            #expect(status.exitCode == 33)
            #expect(status.reason == "Error")
            #expect((earliest...latest).contains(status.finishedAt))
            // Known for good: from the record of the pod too, when its supervisor is gone.
            try await pod.stop()
            try await node.restartDaemon()
            #expect(try await container.status() == status)
        }
    }

    @Test func `what ended before a restart is known after it`() async throws {
        let node = try Node.current
        try await node.withPod("ended-before") { pod in
            let container = try await pod.run("sh", "-c", "exit 5")
            let created = try await pod.create(pod.containerConfig())
            let broken = try await pod.create(pod.containerConfig(["/no/such/program"]))
            let refused = try await node.refusal(of: CRIMethods.startContainer, .with { $0.containerID = broken.id })
            #expect(refused.code != .ok)
            let statuses = try await [container.status(), created.status(), broken.status()]
            #expect(statuses.map(\.exitCode) == [5, 0, 128])
            #expect(statuses[2].reason == "StartError")
            try await node.restartDaemon()
            let later = try await [container.status(), created.status(), broken.status()]
            #expect(later == statuses)
            try await created.start()
            #expect(try await created.exec("echo", "alive") == "alive")
        }
    }

    @Test func `a stopped pod is still there after a restart and can be removed`() async throws {
        let node = try Node.current
        try await node.withPod("stopped") { pod in
            let container = try await pod.start()
            try await pod.stop()
            let (before, ended) = (try await pod.status(), try await container.status())
            try await node.restartDaemon()
            #expect(try await pod.status() == before)
            #expect(try await container.status() == ended)
        }
    }

    @Test func `a pod whose supervisor died meanwhile is not ready and its containers are lost`() async throws {
        let node = try Node.current
        try await node.withPod("lost") { pod in
            let container = try await pod.start()
            let host = try node.hostProcess(try await container.process())
            let supervisor = try node.supervisor(of: pod)
            try await node.endDaemon()
            #expect(kill(supervisor, SIGKILL) == 0)
            try await eventually("the supervisor ends") {
                Processes.startTime(supervisor) == nil || Processes.isZombie(supervisor)
            }
            try await node.startDaemon()
            #expect(try await pod.status().state == .sandboxNotready)
            let status = try await container.status()
            #expect(status.state == .containerExited)
            #expect(status.reason == "SupervisorLost")
            #expect(status.exitCode == 255)
            #expect(Processes.startTime(host) == nil || Processes.isZombie(host))
        }
    }

    @Test func `a dead supervisor is noticed at once and takes nothing else with it`() async throws {
        let node = try Node.current
        try await node.withPod("neighbour") { neighbour in
            let other = try await neighbour.start(["sleep", "1000"])
            try await node.withPod("dies") { pod in
                let container = try await pod.start()
                #expect(kill(try node.supervisor(of: pod), SIGKILL) == 0)
                let status = try await container.ended()
                #expect(status.exitCode == 137)
                #expect(status.reason == "SupervisorLost")
                try await eventually("the pod is not ready") { try await pod.status().state == .sandboxNotready }
            }
            #expect(try await other.status().state == .containerRunning)
            #expect(try await other.exec("echo", "fine") == "fine")
        }
    }

    @Test func `a second daemon on the same root refuses to start and says why`() async throws {
        let node = try Node.current
        let second = try await node.run(Node.binaries + "/swiftletd", "--config", node.configuration)
        #expect(second.status != 0)
        #expect(second.stderr.contains(node.root + "/lib"), "\(second)")
        #expect(second.stderr.contains("another") || second.stderr.contains("in use"), "\(second)")
        // The first one still serves on its socket.
        await node.disconnect()
        #expect(try await node.call(CRIMethods.version, .init()).runtimeName == "swiftlet")
    }

    @Test func `no call is answered before recovery is done`() async throws {
        let node = try Node.current
        try await node.withPod("recovering") { pod in
            _ = try await pod.start()
            // A supervisor that does not answer holds recovery up for a while.
            let supervisor = try node.supervisor(of: pod)
            try await node.endDaemon()
            #expect(kill(supervisor, SIGSTOP) == 0)
            defer { kill(supervisor, SIGCONT) }
            let log = node.daemonLog
            _ = try Commands.start(
                node.inside([Node.binaries + "/swiftletd", "--config", node.configuration]), stdout: log, stderr: log)
            var refusal = GRPCStatus.ok
            try await eventually("the daemon listens") {
                do {
                    refusal = try await node.refusal(of: CRIMethods.listPodSandbox, .init())
                    return true
                } catch is ConnectError {
                    return false
                }
            }
            #expect(refusal.code == .unavailable, "\(refusal)")
            #expect(refusal.message.contains("recover"), "\(refusal)")
            #expect(kill(supervisor, SIGCONT) == 0)
            try await node.awaitDaemon()
            #expect(try await pod.status().state == .sandboxReady)
        }
    }
}

/// The node's clock now.
func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

extension Node {
    /// The number that we see of a process of the node.
    func hostProcess(_ inside: Int32) throws -> Int32 {
        let namespace = Processes.link(initProcess, "ns/pid")
        let depth = Processes.numbers(initProcess).count
        for process in Processes.all() {
            let numbers = Processes.numbers(process)
            guard numbers.count >= depth, numbers[depth - 1] == inside else { continue }
            // A process of a container is deeper: its parent namespaces lead to the node's.
            if numbers.count > depth || Processes.link(process, "ns/pid") == namespace { return process }
        }
        throw TestFailure("the node has no process \(inside)")
    }

    /// The supervisor of a pod, by the number that we see: the process in the pod's supervisor cgroup.
    func supervisor(of pod: Pod) throws -> Int32 {
        for process in Processes.all() where Processes.name(process) == "swiftlet-launch" {
            let cgroup = String(decoding: (try? readFile("/proc/\(process)/cgroup")) ?? [], as: UTF8.self)
            if cgroup.contains(pod.id), cgroup.contains(mark + "/") { return process }
        }
        throw TestFailure("no supervisor of \(pod.id)")
    }
}
