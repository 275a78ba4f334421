import CNI
import Foundation
import Linux
import Model
import Synchronization
import TestKit
import Testing

struct PluginFault: Sendable, CustomTestStringConvertible {
    var name: String
    var script: String
    /// What the error's sentence holds.
    var says: String
    var testDescription: String { name }

    init(_ name: String, _ script: String, says: String) {
        self.name = name
        self.script = script
        self.says = says
    }
}

/// What was told of plugins, on their threads.
private final class Told: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite("plugins that fail", .timeLimit(.minutes(10)))
struct PluginFaultTests {
    static let faults: [PluginFault] = [
        PluginFault(
            "says why",
            #"echo '{"cniVersion":"1.0.0","code":11,"msg":"no more addresses","details":"in 10.0.0.0/24"}'; exit 1"#,
            says: "cni plugin \"faulty\" ADD: no more addresses: in 10.0.0.0/24 (code 11)"),
        PluginFault("says nothing", "exit 3", says: "cni plugin \"faulty\" ADD: exit status 3"),
        PluginFault(
            "speaks on standard error", "echo 'boom' >&2; printf '\\033[31m\\nbang' >&2; exit 1",
            says: "exit status 1: boom [31m bang"),
        PluginFault("prints a wall of errors", "head -c 3000000 /dev/zero >&2; echo end >&2; exit 1", says: "end"),
        PluginFault("is killed", "kill -9 $$", says: "killed by signal 9"),
        PluginFault("prints garbage", "echo hello", says: "unusable result: not JSON"),
        PluginFault("prints nothing", "exit 0", says: "unusable result: nothing was printed"),
        PluginFault("prints without end", "cat /dev/zero", says: "printed more than 1048576 bytes"),
        PluginFault(
            "speaks another version", #"echo '{"cniVersion":"3.0.0","ips":[]}'"#,
            says: "version \"3.0.0\" is not supported"),
        PluginFault("gives no address", #"echo '{"cniVersion":"1.0.0","ips":[]}'"#, says: "no address for \"eth0\""),
        PluginFault(
            "gives an address to another interface",
            #"echo '{"cniVersion":"1.0.0","interfaces":[{"name":"cni0"}],"ips":[{"address":"10.0.0.1/8","interface":0}]}'"#,
            says: "no address"),
        PluginFault(
            "dies of an error that is no JSON", "echo '{\"msg\":'; echo why >&2; exit 2", says: "exit status 2: why"),
    ]

    @Test(
        "a failed attachment is told in a sentence, keeps its record, and is undone by one release", arguments: faults)
    func failures(fault: PluginFault) async throws {
        let node = try PluginFixture()
        try node.plugin("good", PluginFixture.good)
        try node.plugin("faulty", "log; [ $CNI_COMMAND = DEL ] && exit 0; " + fault.script)
        try node.configure("good", "faulty")
        let told = Told()
        let error = await #expect(throws: CNIError.self) {
            try await node.cni.attach(request()) { plugin, command in { told.add("\(command) \(plugin) \($0)") } }
        }
        #expect(told.all.count == 2 && told.all[0] == "ADD good true" && told.all[1].hasPrefix("ADD faulty "))
        let sentence = "\(try #require(error))"
        #expect(sentence.contains(fault.says), "\(sentence)")
        #expect(!sentence.contains("\u{1b}") && !sentence.contains("\n"))
        #expect(error?.fault.code == .internal)
        #expect(try node.cni.attachedPods() == [podID])
        #expect(try await node.cni.detach(podID, networkNamespace: nil).wasAttached)
        #expect(try node.calls == ["ADD good", "ADD faulty", "DEL faulty", "DEL good"])
    }

    @Test("a plugin that hangs is killed with all it started, and so is the operation when its time is over")
    func hang() async throws {
        let node = try PluginFixture(limit: .milliseconds(300))
        try node.plugin("stuck", "trap '' TERM; sleep 1000 & echo $! > '\(node.root.path("child"))'; wait; wait")
        try node.configure("stuck")
        let told = Told()
        let error = await #expect(throws: CNIError.self) {
            try await node.cni.attach(request()) { plugin, command in { told.add("\(command) \(plugin) \($0)") } }
        }
        #expect(told.all == ["ADD stuck false"])
        #expect(error == .timedOut(plugin: "stuck", command: "ADD", limit: .milliseconds(300)))
        #expect(error?.fault.code == .deadlineExceeded)
        let child = try #require(Int32(try node.root.text("child").trimmingCharacters(in: .whitespacesAndNewlines)))
        try await node.until { !PluginFixture.runs(child) }
        #expect(!node.root.tree().contains { $0.hasSuffix(".running") })
    }

    @Test("what a successful plugin leaves running, holding its output open, neither blocks nor stays")
    func lingering() async throws {
        let node = try PluginFixture()
        try node.plugin("untidy", "sleep 1000 & echo $! > '\(node.root.path("child"))'; echo '\(PluginFixture.result)'")
        try node.configure("untidy")
        #expect(try await node.cni.attach(request()).addresses.count == 1)
        let child = try #require(Int32(try node.root.text("child").trimmingCharacters(in: .whitespacesAndNewlines)))
        try await node.until { !PluginFixture.runs(child) }
    }

    @Test("much on standard error and nothing read from standard input are no failure")
    func noisy() async throws {
        let node = try PluginFixture()
        try node.plugin("noisy", "exec 0<&-; head -c 3000000 /dev/zero >&2; echo '\(PluginFixture.result)'")
        try node.configure("noisy")
        #expect(
            try await node.cni.attach(request { $0.annotations = ["big": String(repeating: "x", count: 300_000)] })
                .addresses.count == 1)
    }

    @Test("a plugin that is not there, not a program, or not executable is named with the directories")
    func missing() async throws {
        let node = try PluginFixture()
        try node.configure("absent")
        let expected = CNIError.pluginMissing(
            plugin: "absent", directories: [node.root.path("nowhere"), node.root.path("bin")])
        await #expect(throws: expected) { try await node.cni.attach(request()) }
        #expect(try await node.cni.problem() == expected)
        try node.root.directory("bin/absent")
        #expect(try await node.cni.problem() == expected)
        try FileManager.default.removeItem(atPath: node.root.path("bin/absent"))
        try node.plugin("absent", "exit 0", mode: 0o644)
        #expect(try await node.cni.problem() == expected)
        try FileManager.default.removeItem(atPath: node.root.path("bin/absent"))
        try node.root.write("no program", to: "bin/absent", mode: 0o755)
        try FileManager.default.removeItem(atPath: node.root.path("cni/\(podID).json"))
        await #expect(throws: CNIError.pluginNotStarted(plugin: "absent", errno: .executableFormat)) {
            try await node.cni.attach(request())
        }
    }

    @Test("a daemon that starts kills the plugins of an earlier one, and nobody else")
    func leftovers() async throws {
        let node = try PluginFixture()
        func sleeper() throws -> SpawnedProgram {
            var spawn = ProgramSpawn("/bin/sleep", arguments: [Array("sleep".utf8), Array("1000".utf8)])
            spawn.setNewSession()
            return try spawn.start()
        }
        let plugin = try sleeper()
        let stranger = try sleeper()
        let its = try #require(try ProcessIdentity(pid: plugin.pid))
        let others = try #require(try ProcessIdentity(pid: stranger.pid))
        try node.root.write("\(its.pid) \(its.startTicks)\n", to: "cni/\(podID).running")
        try node.root.write(
            "\(others.pid) \(others.startTicks + 1)\n", to: "cni/\(String(repeating: "a", count: 64)).running")
        try node.root.write("1 1\n", to: "cni/\(String(repeating: "b", count: 64)).running")
        try node.root.write("nonsense", to: "cni/\(String(repeating: "c", count: 64)).running")
        try node.cni.killLeftovers()
        #expect(try plugin.pidfd.wait() == .signaled(.kill))
        #expect(PluginFixture.runs(stranger.pid))
        #expect(node.root.tree().filter { $0.hasSuffix(".running") } == [])
        try stranger.pidfd.send(.kill)
        _ = try stranger.pidfd.wait()
    }
}
