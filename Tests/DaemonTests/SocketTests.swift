import Foundation
import TestKit
import Testing

extension WholeDaemon {
    /// Who gets to the CRI's socket.
    @Suite(.serialized) struct Sockets {}
}

extension WholeDaemon.Sockets {
    @Test func `the configured group connects to a socket in the state directory, and sees nothing else there`()
        async throws
    {
        let node = try Node.current
        let original = try node.text(node.configuration)
        let inside = node.state + "/run"
        let moved = original.replacing(
            "socket = \"\(node.socket)\"", with: "socket = \"\(inside)/swiftlet.sock\"\nsocket_group = 4321")
        try await node.endDaemon()
        try moved.write(toFile: node.path(node.configuration), atomically: true, encoding: .utf8)
        // The tests' client, and the node's own directory above, in which nobody else may look for anything.
        try await node.succeed("ln", "-sf", inside + "/swiftlet.sock", node.socket)
        try await node.succeed("chmod", "0711", node.state)
        do {
            try await node.startDaemon()
            let user = "setpriv --reuid 65534 --clear-groups --regid"
            func version(as group: Int) async throws -> CommandResult {
                try await node.shell(
                    "\(user) \(group) \(Node.binaries)/swiftlet --config /dev/null -r unix://\(inside)/swiftlet.sock version"
                )
            }
            let member = try await version(as: 4321)
            #expect(member.status == 0 && member.stdout.contains("swiftlet"), "\(member.stderr)")
            #expect(try await version(as: 4322).status != 0)
            for path in [inside, inside + "/pods"] {
                #expect(try await node.shell("\(user) 4321 ls \(path)").status != 0)
            }
        } catch { Issue.record("\(error)") }
        try await node.endDaemon(SIGTERM)
        try original.write(toFile: node.path(node.configuration), atomically: true, encoding: .utf8)
        try await node.succeed("rm", "-f", node.socket)
        try await node.succeed("chmod", "0700", node.state)
        try await node.startDaemon()
    }
}
