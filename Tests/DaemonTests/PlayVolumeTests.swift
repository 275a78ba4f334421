import Foundation
import TestKit
import Testing

extension WholeDaemon.Play {
    /// What is mounted below the state directory: place, type and options.
    private static func mounts(_ node: Node) throws -> [String] {
        try node.text("/proc/1/mountinfo").split(separator: "\n").filter { $0.contains(Player.state(node) + "/") }
            .map(String.init)
    }

    @Test func `secrets and volumes in memory are on a tmpfs of their size, and a kill leaves nothing on the disk`()
        async throws
    {
        let node = try Node.current
        let manifest = """
            kind: Pod
            metadata: {name: memory}
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 1
              securityContext: {fsGroup: 2000}
              volumes:
              - {name: keys, secret: {secretName: s, defaultMode: 0400}}
              - name: all
                projected:
                  sources: [{secret: {name: s}}, {downwardAPI: {items: [{path: me, fieldRef: {fieldPath: metadata.name}}]}}]
              - {name: fast, emptyDir: {medium: Memory, sizeLimit: 64Ki}}
              containers:
              - name: main
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                command: [sh, -c]
                args:
                - |
                  {
                    [ "$(cat /keys/k /all/k)" = hidden-valuehidden-value ]; echo $?; cat /all/me; echo
                    stat -c '%a %g' /keys/k /fast; stat -f -c %T /keys /all /fast
                    for size in 8 128; do dd if=/dev/zero of=/fast/f bs=1k count=$size 2>/dev/null; echo $?; done
                  } | tr '\\n' ' ' >/dev/termination-log
                  until [ -e /fast/go ]; do usleep 20000; done
                volumeMounts:
                - {name: keys, mountPath: /keys}
                - {name: all, mountPath: /all}
                - {name: fast, mountPath: /fast}
            ---
            kind: Secret
            metadata: {name: s}
            stringData: {k: hidden-value}
            """
        let file = try node.work.write(manifest, to: node.unique("manifest") + ".yaml")
        let state = Player.state(node)
        try await node.leavesNothing {
            let first = try Player(node, file)
            try await first.wait(for: "default/memory: Running")
            let mounts = try Self.mounts(node)
            #expect(mounts.count == 3, "\(mounts)")
            #expect(mounts.allSatisfy { $0.contains(" - tmpfs swiftlet-play ") && $0.contains("nosuid,nodev") })
            #expect(mounts.contains { $0.contains("/volumes/fast ") && $0.contains("size=64k") })
            try first.signal(SIGKILL)
            try await first.end()
            // What is on the disk, without what is mounted there: this process is in another mount namespace.
            let found = try await Commands.run(["grep", "-rl", "hidden-value", state], output: node.work)
            #expect(found.stdout == "")
            let second = try Player(node, file)
            try await second.wait(for: "default/memory/main: Running")
            try await node.succeed("sh", "-c", "cd \(state)/*/volumes/fast && rm -f f && touch go")
            #expect(try await second.end() == 0)
            let line = try second.lines.first { $0.contains("main: Terminated Completed") } ?? ""
            #expect(
                line.hasSuffix(
                    ": 0 memory 440 2000 2777 2000 tmpfs tmpfs tmpfs 0 1 "), "\(line)")
            // The pod has ended: its secrets are gone, its log is not.
            #expect(try Self.mounts(node) == [])
            let down = try Player(node, file, "--down")
            #expect(try await down.end() == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: state) == [])
        }
    }

    @Test func `what is left of a pod that is gone is unmounted and removed by the next play`() async throws {
        let node = try Node.current
        let manifest = """
            kind: Pod
            metadata: {name: lost}
            spec:
              terminationGracePeriodSeconds: 0
              volumes: [{name: keys, secret: {secretName: s}}]
              containers: [{name: main, image: \(Node.busybox), imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}]
            ---
            {kind: Secret, metadata: {name: s}, stringData: {k: v}}
            """
        let file = try node.work.write(manifest, to: node.unique("manifest") + ".yaml")
        try await node.leavesNothing {
            let first = try Player(node, file)
            try await first.wait(for: "default/lost: Running")
            try first.signal(SIGKILL)
            try await first.end()
            #expect(try Self.mounts(node).count == 1)
            let client = "\(Node.binaries)/swiftlet -r unix://\(node.socket)"
            try await node.succeed("sh", "-c", "\(client) rmp -f $(\(client) pods -q --name lost)")
            #expect(try Self.mounts(node).count == 1)
            let down = try Player(node, file, "--down")
            #expect(try await down.end() == 0)
            #expect(try Self.mounts(node) == [])
            #expect(try FileManager.default.contentsOfDirectory(atPath: Player.state(node)) == [])
        }
    }

    @Test func `a subPath of a volume that containers write is found in the volume, and a link does not lead it out`()
        async throws
    {
        let node = try Node.current
        let manifest = """
            kind: Pod
            metadata: {name: parts}
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 0
              volumes: [{name: data, emptyDir: {}}]
              initContainers:
              - name: init
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                command: [sh, -c, "mkdir /data/in; echo inside >/data/in/f; ln -s in /data/link; ln -s /etc /data/out; ln -s ../../../.. /data/up"]
                volumeMounts: [{name: data, mountPath: /data}]
              containers:
              - name: main
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                env: [{name: PART, value: own}]
                command: [sh, -c, "{ cat /in/f /link/f /file; touch /new/x /own/y; stat -c %a /new; } | tr '\\n' ' ' >/dev/termination-log"]
                volumeMounts:
                - {name: data, mountPath: /in, subPath: in}
                - {name: data, mountPath: /link, subPath: link}
                - {name: data, mountPath: /file, subPath: in/f, readOnly: true}
                - {name: data, mountPath: /new, subPath: made/deep}
                - {name: data, mountPath: /own, subPathExpr: $(PART)/$(PART)}
              - {name: out, image: \(Node.busybox), imagePullPolicy: IfNotPresent, command: ["true"],
                 volumeMounts: [{name: data, mountPath: /x, subPath: out}]}
              - {name: up, image: \(Node.busybox), imagePullPolicy: IfNotPresent, command: ["true"],
                 volumeMounts: [{name: data, mountPath: /x, subPath: up}]}
            """
        let file = try node.work.write(manifest, to: node.unique("manifest") + ".yaml")
        try await node.leavesNothing {
            let player = try Player(node, file, "--rm")
            try await player.wait(for: "default/parts/up: Waiting CreateContainerConfigError")
            try await player.wait(for: "default/parts/main: Terminated")
            let state = Player.state(node)
            try await node.succeed("sh", "-c", "cd \(state)/*/volumes/data && [ -e made/deep/x ] && [ -e own/own/y ]")
            #expect(try Self.mounts(node).count == 5)
            try player.signal(SIGINT)
            try await player.end()
            let lines = try player.lines
            #expect(
                lines.contains("default/parts/main: Terminated Completed, exit code 0: inside?inside?inside?777?")
                    || lines.contains(
                        "default/parts/main: Terminated Completed, exit code 0: inside inside inside 777 "),
                "\(lines)")
            for name in ["out", "up"] {
                #expect(
                    lines.contains {
                        $0.hasPrefix(
                            "default/parts/\(name): Waiting CreateContainerConfigError: open the subPath \"\(name)\"")
                            && $0.hasSuffix("it leads out of the volume")
                    }, "\(lines)")
            }
            #expect(try Self.mounts(node) == [])
        }
    }
}
