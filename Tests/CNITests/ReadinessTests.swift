import CNI
import Foundation
import TestKit
import Testing

@Suite("readiness of the network", .timeLimit(.minutes(10)))
struct ReadinessTests {
    @Test("it follows the configuration directory: absent, filled, broken, mended, emptied")
    func changes() async throws {
        let node = try PluginFixture()
        try node.plugin("only", "exit 0")
        let none = CNIError.notConfigured(directory: node.root.path("net.d"))
        #expect(try await node.cni.problem() == none)
        try node.root.directory("net.d")
        try node.root.write("{}", to: "net.d/README.txt")
        try node.root.write("{}", to: "net.d/.10-hidden.conflist")
        try node.root.directory("net.d/00-dir.conf")
        #expect(try await node.cni.problem() == none)
        try node.configure("only")
        #expect(try await node.cni.problem() == nil)
        // Of the same size, as an editor may leave it.
        let text = try node.root.text("net.d/10-net.conflist")
        try node.root.write(text.replacingOccurrences(of: "only", with: "../o"), to: "net.d/10-net.conflist")
        guard case .badConfiguration = try await node.cni.problem() else {
            Issue.record("a broken configuration is ready")
            return
        }
        try node.root.write(text, to: "net.d/10-net.conflist")
        #expect(try await node.cni.problem() == nil)
        try FileManager.default.removeItem(atPath: node.root.path("net.d"))
        #expect(try await node.cni.problem() == none)
    }

    @Test("the first file by name counts, and one that is broken is not skipped")
    func order() async throws {
        let node = try PluginFixture()
        try node.plugin("a", PluginFixture.good)
        try node.plugin("b", PluginFixture.good)
        try node.configure("b", file: "20-b.conf")
        try node.configure("a", file: "10-a.json")
        #expect(try await node.cni.attach(request()).addresses.count == 1)
        #expect(try node.calls == ["ADD a"])
        try node.root.write("{", to: "net.d/05-broken.conflist")
        let file = node.root.path("net.d/05-broken.conflist")
        guard case .badConfiguration(file, _) = try await node.cni.problem() else {
            Issue.record("a broken first file was skipped")
            return
        }
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "20-b.conf")
        #expect(try await node.cni.problem() == nil)
    }

    @Test("plugins of version 1.1.0 are asked themselves")
    func status() async throws {
        let node = try PluginFixture()
        try node.plugin(
            "only",
            "log; [ -e '\(node.root.path("up"))' ] || { echo '{\"code\":50,\"msg\":\"no route yet\"}'; exit 1; }")
        try node.configure("only", version: "1.1.0")
        let problem = try await node.cni.problem()
        #expect(problem.map { "\($0)" } == "cni plugin \"only\" STATUS: no route yet (code 50)")
        try node.root.write("", to: "up")
        #expect(try await node.cni.problem() == nil)
        #expect(try node.calls == ["STATUS only", "STATUS only"])
        try node.configure("only", version: "1.0.0")
        #expect(try await node.cni.problem() == nil)
        #expect(try node.calls.count == 2)
    }

    @Test("a STATUS that hangs is no answer")
    func hangingStatus() async throws {
        let node = try PluginFixture { $0.statusLimit = .milliseconds(200) }
        try node.plugin("stuck", "sleep 1000")
        try node.configure("stuck", version: "1.1.0")
        let problem = try await node.cni.problem()
        #expect(problem == .timedOut(plugin: "stuck", command: "STATUS", limit: .milliseconds(200)))
    }
}
