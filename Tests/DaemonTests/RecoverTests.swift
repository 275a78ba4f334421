import CRIProto
import Foundation
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// What `recover --dry-run` says, and what the start of the daemon then does.
    @Suite(.serialized) struct Recover {}
}

extension WholeDaemon.Recover {
    @Test func `a look ahead says what the next start does, and changes nothing`() async throws {
        let node = try Node.current
        let before = try await NodeState.take(node)
        let kept = try await node.runPod(try node.podConfig("kept"))
        let gate = try node.work.directory(node.unique("gate"))
        let running = try await kept.start()
        let ending = try await kept.start(["sh", "-c", "until [ -e /gate/open ]; do usleep 5000; done; exit 33"]) {
            $0.mounts = [
                .with {
                    $0.hostPath = gate
                    $0.containerPath = "/gate"
                }
            ]
        }
        let ended = try await kept.run("sh", "-c", "exit 5")
        let created = try await kept.create(kept.containerConfig())
        let lost = try await node.runPod(try node.podConfig("lost"))
        let lostContainer = try await lost.start()
        let stopped = try await node.runPod(try node.podConfig("stopped"))
        try await stopped.stop()
        let endingProcess = try node.hostProcess(try await ending.process())
        let supervisor = try node.supervisor(of: lost)

        try await node.endDaemon()
        #expect(FileManager.default.createFile(atPath: gate + "/open", contents: nil))
        #expect(kill(supervisor, SIGKILL) == 0)
        try await eventually("the container and the supervisor end") {
            Processes.isOver(endingProcess)
                && (Processes.startTime(supervisor) == nil || Processes.isZombie(supervisor))
        }
        let orphans = ["a", "b", "c"].map { String(repeating: $0, count: 64) }
        let directories = [
            "\(node.state)/run/pods/\(orphans[0])", "\(node.root)/lib/containers/\(orphans[1])",
            "\(node.root)/lib/images/layers/999999",
        ]
        for directory in directories { try await node.succeed("mkdir", "-p", directory) }
        try await node.succeed("cp", "/dev/null", "\(node.root)/lib/cni/\(orphans[2]).json")

        let seen = try await everything(node)
        let items = try await look(node, status: 3)
        #expect(try await everything(node) == seen)

        func action(_ id: String) -> String { items[id].map { "\($0.action): \($0.detail)" } ?? "nothing" }
        #expect(action(kept.id) == "keep: its supervisor answers")
        #expect(action(running.id).hasPrefix("keep: process "))
        #expect(action(ending.id) == "exit: exit code 33, Error")
        // Its record may or may not have been written since it ended; its exit record has been.
        #expect(["keep: exit code 5, Error", "exit: exit code 5, Error"].contains(action(ended.id)))
        #expect(action(created.id) == "keep: created, not started")
        #expect(action(lost.id).hasPrefix("lost: its supervisor does not answer: "))
        #expect(action(lostContainer.id).hasPrefix("lost: exit code 255, SupervisorLost"))
        #expect(action(stopped.id) == "keep: stopped")
        #expect(action(orphans[0]).hasPrefix("remove: it has no record; found: \(directories[0])"))
        #expect(action(orphans[1]).hasPrefix("remove: "))
        #expect(action(orphans[2]).contains("an attachment to the network"))
        #expect(action("999999").hasPrefix("remove: "))
        #expect(items.count == 12)

        // And so it comes.
        try await node.startDaemon()
        #expect(try await kept.status().state == .sandboxReady)
        #expect(try await running.status().state == .containerRunning)
        #expect(try await ending.status().exitCode == 33)
        #expect(try await created.status().state == .containerCreated)
        #expect(try await lost.status().state == .sandboxNotready)
        let end = try await lostContainer.status()
        #expect(end.exitCode == 255 && end.reason == "SupervisorLost")
        for directory in directories { #expect(!FileManager.default.fileExists(atPath: node.path(directory))) }
        #expect(!FileManager.default.fileExists(atPath: node.path("\(node.root)/lib/cni/\(orphans[2]).json")))
        for pod in [kept, lost, stopped] {
            try await pod.stop()
            try await pod.remove()
        }
        try await node.expectNothing(since: before)
    }

    @Test func `while the daemon runs only records are looked at, and that is said`() async throws {
        let node = try Node.current
        try await node.withPod("looked-at") { pod in
            let container = try await pod.start()
            let seen = try await everything(node)
            let shown = try await node.shell("swiftlet recover --dry-run --config \(node.configuration)")
            #expect(try await everything(node) == seen)
            #expect(shown.status == 0, "\(shown)")
            #expect(shown.stderr.contains("the daemon runs (process "))
            #expect(shown.stdout.contains("2 keep") && shown.stdout.contains(container.id.prefix(13)))
            // Its connection to the supervisor was left alone.
            #expect(try await container.exec("echo", "alive") == "alive")
            #expect(try await pod.status().state == .sandboxReady)
        }
        #expect(try await node.shell("swiftlet recover").status == 1)
    }

    private struct Item {
        var action: String
        var detail: String
    }

    private func look(_ node: Node, status: Int32) async throws -> [String: Item] {
        let shown = try await node.shell("swiftlet recover --dry-run -o json --config \(node.configuration)")
        #expect(shown.status == status, "\(shown)")
        let tree = try JSONSerialization.jsonObject(with: Data(shown.stdout.utf8)) as? [String: Any]
        #expect(tree?["daemonRuns"] as? Bool == false)
        var items: [String: Item] = [:]
        for item in tree?["items"] as? [[String: Any]] ?? [] {
            let words = item.compactMapValues { $0 as? String }
            let id = try #require(words["id"])
            #expect(items[id] == nil, "\(id) comes twice")
            items[id] = Item(action: words["action"] ?? "", detail: words["detail"] ?? "")
        }
        return items
    }

    /// Every file that the runtime has on this node, with its times and size, its mounts, its cgroups and its processes.
    private func everything(_ node: Node) async throws -> [String] {
        let files = try await node.succeed(
            "find", "\(node.root)/lib", "\(node.state)/run", "-printf", "%p %y %m %n %i %s %T@ %C@ %l\n")
        let mounts = try node.text("/proc/1/mountinfo")
        let cgroups = node.cgroups(below: "swiftlet-\(node.mark)") + node.cgroups(below: "\(node.mark)-pods")
        let processes = Processes.all().filter { Processes.name($0) == "swiftlet-launch" }.map { "\($0)" }
        return files.split(separator: "\n").map(String.init).sorted() + [mounts] + cgroups + processes.sorted()
    }
}
