import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// What a node goes through in weeks: reboots, upgrades, full nodes, clock steps, images collected under running pods.
    @Suite(.serialized) struct NodeLife {}
}

extension WholeDaemon.NodeLife {
    /// What a kubelet runs at most by default (`maxPods`); the guest has two emulated processors.
    private static var podsMax: Int { Node.isInGuest ? 30 : 110 }

    @Test func `as many pods as a kubelet allows come up at once and go at once`() async throws {
        let node = try Node.current
        try await node.leavesNothing {
            let pods = try await withThrowingTaskGroup(of: Pod.self) { group in
                for number in 0..<Self.podsMax {
                    group.addTask {
                        let pod = try await node.runPod(try node.podConfig("many-\(number)"))
                        _ = try await pod.start()
                        return pod
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let listed = try await node.call(CRIMethods.listPodSandbox, .with { $0.filter.state.state = .sandboxReady })
            #expect(Set(listed.items.map(\.id)) == Set(pods.map(\.id)))
            let running = try await node.call(
                CRIMethods.listContainers, .with { $0.filter.state.state = .containerRunning })
            #expect(running.containers.count == Self.podsMax)
            var addresses: Set<String> = []
            for pod in pods { addresses.insert(try await pod.status().network.ip) }
            #expect(addresses.count == Self.podsMax && !addresses.contains(""))
            let stats = try await node.call(CRIMethods.listPodSandboxStats, .init())
            #expect(Set(stats.stats.map(\.attributes.id)) == Set(pods.map(\.id)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pod in pods {
                    group.addTask {
                        try await pod.stop()
                        try await pod.remove()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `after a reboot pods are not ready, their ends are known, and all of them can be removed`() async throws
    {
        let node = try Node.current
        try await node.leavesNothing {
            let pod = try await node.runPod(try node.podConfig("before-reboot"))
            let running = try await pod.start()
            let ended = try await pod.run("sh", "-c", "exit 3")
            let created = try await pod.create(pod.containerConfig())
            let other = try await node.runPod(try node.podConfig("stopped-before-reboot"))
            try await other.stop()
            try await node.reboot(pods: [pod])

            #expect(try await pod.status().state == .sandboxNotready)
            #expect(try await other.status().state == .sandboxNotready)
            let lost = try await running.status()
            #expect(lost.state == .containerExited && lost.exitCode == 255 && lost.reason == "Unknown", "\(lost)")
            #expect(lost.finishedAt >= lost.startedAt && lost.startedAt > 0)
            // A time that was made up once stays.
            try await node.restartDaemon()
            let again = try await running.status()
            #expect(again.finishedAt == lost.finishedAt && again.reason == lost.reason, "\(again)")
            // What was known before still is.
            #expect(try await ended.status().exitCode == 3)
            // Its sandbox is gone for good: it cannot run any more, and says so.
            let refused = try await node.refusal(of: CRIMethods.startContainer, .with { $0.containerID = created.id })
            #expect(refused.code != .ok, "\(refused)")

            // A kubelet makes the next attempt of the same pod, beside the dead one.
            var config = pod.config
            config.metadata.attempt += 1
            let next = try await node.runPod(config)
            #expect(try await next.start().exec("echo", "back") == "back")
            #expect(try await next.status().network.ip != "")
            for pod in [pod, other, next] {
                try await pod.stop()
                try await pod.remove()
            }
            #expect(node.addressesInUse().isEmpty)
        }
    }

    @Test func `pods run on through an upgrade and a downgrade whose old files are gone`() async throws {
        let node = try Node.current
        let old = try node.text(node.configuration)
        try await node.withPod("upgraded") { pod in
            let container = try await pod.start()
            for version in ["new", "newer", nil] as [String?] {
                try await node.endDaemon(SIGTERM)
                if let version {
                    let programs = try node.work.directory("programs-\(version)")
                    for program in [Node.binaries + "/swiftletd", Node.launcher] {
                        try FileManager.default.copyItem(
                            atPath: program, toPath: programs + "/" + (program as NSString).lastPathComponent)
                    }
                    let launcher = programs + "/" + (Node.launcher as NSString).lastPathComponent
                    try node.write(
                        old.replacingOccurrences(
                            of: "launcher = \"\(Node.launcher)\"", with: "launcher = \"\(launcher)\""),
                        to: node.configuration)
                    try await node.startDaemon(programs + "/swiftletd")
                } else {
                    try node.write(old, to: node.configuration)
                    try await node.startDaemon()
                }
                // Its supervisor is of another version, whose file may be gone.
                #expect(try await pod.status().state == .sandboxReady)
                #expect(try await container.exec("echo", "on") == "on")
                let more = try await pod.run("sh", "-c", "exit 7")
                #expect(try await more.status().exitCode == 7)
                let fresh = try await node.runPod(try node.podConfig("of-\(version ?? "old")"))
                #expect(try await fresh.start().exec("echo", "fresh") == "fresh")
                try await fresh.stop()
                try await fresh.remove()
                if let version { try FileManager.default.removeItem(atPath: node.work.path + "/programs-\(version)") }
            }
        }
    }

    @Test func `images are collected while containers are made from them`() async throws {
        let node = try Node.current
        try await node.withPod("collected") { pod in
            let collector = Task {
                for _ in 0..<25 {
                    try await node.call(CRIMethods.removeImage, .with { $0.image.image = Node.busybox })
                    _ = try await node.pull(Node.busybox)
                }
            }
            var made = 0
            for number in 0..<40 {
                do {
                    let container = try await pod.run("sh", "-c", "exit \(number)")
                    #expect(try await container.status().exitCode == Int32(number))
                    try await container.remove()
                    made += 1
                } catch let status as GRPCStatus {
                    // Nothing else than the truth: at that moment there was no such image.
                    let gone = ["is not on this node", "was removed meanwhile"]
                    #expect(
                        status.code == .failedPrecondition && gone.contains(where: status.message.contains), "\(status)"
                    )
                }
            }
            try await collector.value
            #expect(made > 0)
            #expect(try await pod.run("true").status().exitCode == 0)
        }
    }

    @Test(.enabled(if: Node.isInGuest, "steps the clock of the machine: only in the guest"))
    func `a clock that is set forth and back ends nothing and times stay in order`() async throws {
        let node = try Node.current
        try await node.withPod("clock") { pod in
            let container = try await pod.start()
            for step in [86_400, -172_800, 86_400] as [Int] {
                try stepClock(seconds: step)
                // Its time-out and its time to stop are of a clock that nobody sets.
                #expect(try await container.execResponse(["echo", "on"], timeout: 10).exitCode == 0)
                let other = try await pod.start(["sleep", "1000"])
                try await other.stop(timeout: 1)
                let status = try await other.status()
                #expect(status.state == .containerExited)
                #expect(status.startedAt >= status.createdAt && status.finishedAt >= status.startedAt, "\(status)")
                try await other.remove()
                #expect(try await pod.status().state == .sandboxReady)
            }
            try await container.stop()
            let status = try await container.status()
            #expect(status.finishedAt >= status.startedAt, "\(status)")
        }
    }

    private func stepClock(seconds: Int) throws {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { throw TestFailure("clock_gettime: errno \(errno)") }
        now.tv_sec += seconds
        guard clock_settime(CLOCK_REALTIME, &now) == 0 else { throw TestFailure("clock_settime: errno \(errno)") }
    }
}

extension Node {
    /// What a reboot leaves of a node: its disk. Processes, mounts, links, rules and everything below the state directory
    /// are gone, and the boot has another name.
    func reboot(pods: [Pod]) async throws {
        let supervisors = try pods.map { try supervisor(of: $0) }
        try await endDaemon()
        for supervisor in supervisors {
            #expect(kill(supervisor, SIGKILL) == 0)
            try await eventually("the supervisor ends") { Processes.isOver(supervisor) }
        }
        for pod in pods {
            try await eventually("the pod's processes are gone") {
                Processes.all().allSatisfy { process in
                    let cgroup = String(decoding: (try? readFile("/proc/\(process)/cgroup")) ?? [], as: UTF8.self)
                    return !cgroup.contains(pod.id) || Processes.isZombie(process)
                }
            }
        }
        let script = """
            set -eu
            for place in "$0/run" "$1/lib"; do
                awk -v place="$place/" 'index($5, place) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
                    while read -r mount; do umount -l "$mount"; done
            done
            rm -rf "$0/run"
            ip link del swiftlet0
            iptables -t nat -F
            cat /proc/sys/kernel/random/uuid >"$1/boot_id"
            umount /proc/sys/kernel/random/boot_id 2>/dev/null || true
            mount --bind "$1/boot_id" /proc/sys/kernel/random/boot_id
            """
        try await succeed("sh", "-c", script, state, root)
        for cgroup in cgroups(below: String(cgroupParent.dropFirst())).sorted().reversed() {
            rmdir("\(cgroupMount)\(cgroupParent)/\(cgroup)")
        }
        try await startDaemon()
        // The rest of the tests compare with what the first pod of a boot makes.
        let first = try await runPod(try podConfig("first-of-boot"))
        try await first.stop()
        try await first.remove()
        // Nothing alive belongs to the boot of that name.
        try await succeed("umount", "/proc/sys/kernel/random/boot_id")
        try await succeed("rm", "\(root)/boot_id")
        try await restartDaemon()
    }
}
