import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Mounts {}
}

extension WholeDaemon.Mounts {
    private static func mount(_ host: String, _ change: (inout Runtime_V1_Mount) -> Void = { _ in }) -> Runtime_V1_Mount
    {
        .with {
            $0.hostPath = host
            $0.containerPath = "/volume"
            change(&$0)
        }
    }

    @Test func `later mounts travel as the propagation says`() async throws {
        let node = try Node.current
        let volume = try node.work.directory(node.unique("volume"))
        for name in ["before", "after", "inside"] {
            try FileManager.default.createDirectory(atPath: volume + "/" + name, withIntermediateDirectories: true)
        }
        func mountNode(_ name: String) async throws {
            try await node.succeed("mount", "-t", "tmpfs", "tmpfs", volume + "/" + name)
            try await node.succeed("touch", "\(volume)/\(name)/seen")
        }
        try await node.withPod("propagation", { $0.linux.securityContext.privileged = true }) { pod in
            // After RunPodSandbox: the supervisor was there before this mount.
            try await mountNode("before")
            func start(_ propagation: Runtime_V1_MountPropagation) async throws -> Container {
                try await pod.start {
                    $0.linux.securityContext.privileged = true
                    $0.mounts = [Self.mount(volume) { $0.propagation = propagation }]
                }
            }
            let apart = try await start(.propagationPrivate)
            let following = try await start(.propagationHostToContainer)
            let both = try await start(.propagationBidirectional)
            try await mountNode("after")
            try await both.sh("mount -t tmpfs tmpfs /volume/inside && touch /volume/inside/seen")
            let listing = "cd /volume && ls before after inside | tr '\\n' ' '"
            #expect(try await apart.sh(listing) == "after:  before: seen  inside: ")
            #expect(try await following.sh(listing) == "after: seen  before: seen  inside: seen ")
            #expect(try await both.sh(listing) == "after: seen  before: seen  inside: seen ")
            #expect(FileManager.default.fileExists(atPath: node.path(volume + "/inside/seen")))
            // A mount of a follower stays with it.
            try await following.sh("mount -t tmpfs tmpfs /volume/after && touch /volume/after/own")
            #expect(!FileManager.default.fileExists(atPath: node.path(volume + "/after/own")))
            try await pod.stop()
            for name in ["before", "after", "inside"] { try await node.succeed("umount", volume + "/" + name) }
        }
    }

    @Test func `a propagation that the node's mount does not allow is refused`() async throws {
        let node = try Node.current
        let volume = try node.work.directory(node.unique("volume"))
        try await node.succeed("mount", "-t", "tmpfs", "tmpfs", volume)
        try await node.succeed("mount", "--make-private", volume)
        try await node.withPod("private-source") { pod in
            for propagation in [Runtime_V1_MountPropagation.propagationHostToContainer, .propagationBidirectional] {
                let config = pod.containerConfig { $0.mounts = [Self.mount(volume) { $0.propagation = propagation }] }
                let refused = try await pod.refusalOfCreate(config)
                #expect(refused.code != .ok && refused.message.contains(volume), "\(refused)")
            }
        }
        try await node.succeed("umount", volume)
    }

    @Test func `volumes are mounted with what they hold, read-only where asked, and nothing else in the status`()
        async throws
    {
        let node = try Node.current
        let volume = try node.work.directory(node.unique("volume"))
        let file = try node.work.write("one file\n", to: node.unique("file"))
        try await node.withPod("volumes") { pod in
            let mounts: [Runtime_V1_Mount] = [
                Self.mount(volume),
                Self.mount(volume) {
                    $0.containerPath = "/deep/er/volume"
                    $0.readonly = true
                },
                Self.mount(file) { $0.containerPath = "/etc/one-file" },
            ]
            let container = try await pod.start { $0.mounts = mounts }
            try await container.sh("echo inside >/volume/note")
            #expect(try await container.exec("cat", "/deep/er/volume/note", "/etc/one-file") == "inside\none file")
            #expect(try await container.shFails("echo x >/deep/er/volume/note").contains("Read-only file system"))
            #expect(String(decoding: try readFile(volume + "/note"), as: UTF8.self) == "inside\n")
            #expect(
                try await container.status().mounts.sorted { $0.containerPath < $1.containerPath }
                    == mounts.sorted { $0.containerPath < $1.containerPath })
        }
    }

    @Test func `a volume of the image is a directory of the container's own with the image's files`() async throws {
        let node = try Node.current
        let image = "docker.io/swiftlet/volumes:latest"
        try await node.withPod("image-volume") { pod in
            let (first, second) = (try await pod.start(image: image), try await pod.start(image: image))
            #expect(
                try await first.sh("cd /data && stat -c '%n %u:%g %a' seed empty && readlink link && cat seed")
                    == "seed 33:33 640\nempty 33:33 700\n/etc/passwd\nfrom the image")
            #expect(try await first.sh("grep -c ' /data ' /proc/self/mountinfo") == "1")
            try await first.sh("echo changed >/data/seed")
            #expect(try await second.exec("cat", "/data/seed") == "from the image")
            let volume = try node.work.directory(node.unique("volume"))
            let over = try await pod.start(image: image) {
                $0.mounts = [Self.mount(volume) { $0.containerPath = "/data" }]
            }
            #expect(try await over.exec("ls", "-A", "/data") == "")
            #expect(try await first.status().mounts.isEmpty)
            try await first.remove()
            #expect(listTree(node.path(node.root + "/lib/containers")).contains { $0.hasPrefix(first.id) } == false)
        }
    }
}
