import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// Images are input of unknown people: what their configuration says may not reach the node.
    @Suite(.serialized) struct HostileImages {}
}

extension WholeDaemon.HostileImages {
    /// CVE-2022-23648: the path of a VOLUME was followed on the node, and what was there was copied into the container.
    @Test func `a volume's path leads to nothing of the node`() async throws {
        let node = try Node.current
        let canary = try node.work.directory(node.unique("canary"))
        let secret = canary + "/secret"
        try Data("of the node\n".utf8).write(to: URL(fileURLWithPath: secret))
        let paths = [
            "/../../../../../../../..\(canary)", "/outwards", "/upwards", "/by-proc", "/outwards/below",
            "/proc/self/root\(canary)",
            "..", "relative", "/", "/proc", "/sys/kernel/security", "/\(String(repeating: "x", count: 5000))", "/fine",
        ]
        var ran: [String] = []
        for path in paths {
            let image = try await node.makeImage(["Volumes": [path: [String: String]()]], target: canary)
            try await node.withPod("volume-path") { pod in
                let config = pod.containerConfig(image: image)
                if try await pod.refusalOfCreate(config).code == .ok {
                    let container = try await pod.create(config)
                    if try await node.refusal(of: CRIMethods.startContainer, .with { $0.containerID = container.id })
                        .code == .ok
                    {
                        ran.append(path)
                        let found = try await container.sh(
                            "find / -xdev -name secret; for m in $(cut -d ' ' -f 5 /proc/self/mountinfo); do ls $m/secret 2>/dev/null; done; true"
                        )
                        #expect(found == "", "\(path)")
                    }
                }
            }
            #expect(listTree(canary) == ["secret"], "\(path)")
            #expect(String(decoding: try readFile(secret), as: UTF8.self) == "of the node\n", "\(path)")
        }
        #expect(ran.contains("/fine"), "the others were refused for their paths and not for something else")
    }

    /// CVE-2026-57231: an entry without "=" imported a variable of the runtime's own environment.
    @Test func `entries of the environment that are none import nothing`() async throws {
        let node = try Node.current
        let image = try await node.makeImage(
            ["Env": ["SWIFTLET_BIN", "HOME", "*", "=x", "A=b=c", ""]], target: "/nowhere")
        try await node.withPod("image-environment") { pod in
            let container = try await pod.start(image: image)
            let expected = [
                "A=b=c", "HOME=/root", "HOSTNAME=\(pod.config.hostname)",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ]
            #expect(try await container.exec("env").split(separator: "\n").map(String.init).sorted() == expected)
        }
    }

    /// CVE-2024-40635: a number beyond the range of user ids wrapped to 0.
    @Test func `a user beyond the range of user ids is refused`() async throws {
        let node = try Node.current
        for user in ["4294967295", "4294967296", "-1", "99999999999999999999", "0x0", "1:4294967296", "no-such-user"] {
            let image = try await node.makeImage(["User": user], target: "/nowhere")
            try await node.withPod("image-user") { pod in
                let refused = try await pod.refusalOfCreate(pod.containerConfig(image: image))
                #expect(
                    refused.code != .ok && refused.message.contains(String(user.split(separator: ":").last ?? "")),
                    "\(user): \(refused)")
            }
        }
    }
}

extension Node {
    /// Builds an image with a configuration of a test's own, pushes it to the node's registry and pulls it.
    func makeImage(_ configuration: [String: Any], target: String) async throws -> String {
        let name = "docker.io/swiftlet/\(unique("made")):latest"
        let layout = try work.directory(unique("layout"))
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/daemon/image-with").path
        let base = try #require(ProcessInfo.processInfo.environment["SWIFTLET_IMAGES"])
        let json = String(decoding: try JSONSerialization.data(withJSONObject: configuration), as: UTF8.self)
        let made = try await Commands.run([fixtures, base, layout, name, json, target], output: work)
        guard made.status == 0 else { throw TestFailure("make an image: \(made.stderr)") }
        try await succeed(Self.tools + "/registry", "push", "--dir", root + "/registry", layout)
        _ = try await pull(name)
        return name
    }
}
