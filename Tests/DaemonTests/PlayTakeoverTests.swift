import Foundation
import TestKit
import Testing

extension WholeDaemon.Play {
    private static func counting(_ node: Node) -> String {
        """
        kind: Pod
        metadata: {name: kept}
        spec:
          restartPolicy: OnFailure
          terminationGracePeriodSeconds: 1
          volumes: [{name: shared, emptyDir: {}}]
          initContainers:
          - name: side
            image: \(Node.busybox)
            imagePullPolicy: IfNotPresent
            restartPolicy: Always
            command: [sh, -c, "trap 'exit 0' TERM; while :; do usleep 20000; done"]
          containers:
          - name: main
            image: \(Node.busybox)
            imagePullPolicy: IfNotPresent
            command: [sh, -c, "until [ -e /shared/go ]; do usleep 20000; done; rm /shared/go; [ -e /shared/good ]"]
            volumeMounts: [{name: shared, mountPath: /shared}]
        """
    }

    @Test func `a play that is killed leaves its pod running, and the next goes on with it, restarts and all`()
        async throws
    {
        let node = try Node.current
        let file = try node.work.write(Self.counting(node), to: node.unique("manifest") + ".yaml")
        let state = Player.state(node)
        try await node.leavesNothing {
            let first = try Player(node, file)
            try await first.wait(for: "default/kept: Running")
            try first.signal(SIGKILL)
            try await first.end()
            let uid = try #require(try FileManager.default.contentsOfDirectory(atPath: state).first)
            let go = { (name: String) in
                try Data().write(to: URL(fileURLWithPath: "\(state)/\(uid)/volumes/shared/\(name)"))
            }
            // Nobody restarts it.
            try go("go")
            try await eventually("the container ends") {
                try await node.succeed("sh", "-c", "\(Node.binaries)/swiftlet -r unix://\(node.socket) ps -a")
                    .contains("Exited")
            }
            let second = try Player(node, file)
            try await second.wait(for: "default/kept/main: Running, restart 1")
            try second.signal(SIGKILL)
            try await second.end()
            #expect(
                try second.lines == [
                    "default/kept: taken over, since it is there", "default/kept: Running",
                    "default/kept/side: Running", "default/kept/main: Terminated Error, exit code 1",
                    "default/kept/main: Running, restart 1",
                ])
            let last = try Player(node, file, "--rm")
            try await last.wait(for: "default/kept/main: Running")
            try go("go")
            try await last.wait(for: "default/kept/main: Running, restart 2")
            try go("good")
            try go("go")
            #expect(try await last.end() == 0)
            let lines = try last.lines
            #expect(lines.contains("default/kept: Succeeded"))
            #expect(lines.last == "Removed pod default/kept")
            #expect(try FileManager.default.contentsOfDirectory(atPath: state) == [])
        }
    }

    @Test func `a pod that somebody stops is made anew, and its init container runs again`() async throws {
        let node = try Node.current
        let manifest = """
            kind: Pod
            metadata: {name: anew}
            spec:
              restartPolicy: Always
              terminationGracePeriodSeconds: 0
              initContainers: [{name: init, image: \(Node.busybox), imagePullPolicy: IfNotPresent, command: ["true"]}]
              containers: [{name: main, image: \(Node.busybox), imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}]
            """
        let file = try node.work.write(manifest, to: node.unique("manifest") + ".yaml")
        try await node.leavesNothing {
            let player = try Player(node, file, "--rm")
            try await player.wait(for: "default/anew: Running")
            let client = "\(Node.binaries)/swiftlet -r unix://\(node.socket)"
            try await node.succeed("sh", "-c", "\(client) stopp $(\(client) pods -q --name anew)")
            try await player.wait(for: "default/anew/main: Running, restart 1")
            let pods = try await node.succeed("sh", "-c", "\(client) pods -q --name anew")
            #expect(pods.split(separator: "\n").count == 1)
            try player.signal(SIGINT)
            #expect(try await player.end() == 130)
            let lines = try player.lines
            #expect(lines.contains("default/anew/init: Running, restart 1"), "\(lines)")
            #expect(!lines.contains("default/anew: Unknown"))
        }
    }
}
