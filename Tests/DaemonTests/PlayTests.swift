import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// `swiftlet play`, which is to this daemon what a kubelet is.
    @Suite(.serialized) struct Play {}
}

extension WholeDaemon.Play {
    /// Plays a manifest in the node and takes it down; returns what was shown, without the failures of early probes.
    private func play(_ manifest: String, _ flags: String = "") async throws -> (status: Int32, lines: [String]) {
        let node = try Node.current
        let file = try node.work.write(manifest, to: node.unique("manifest") + ".yaml")
        let state = node.work.path + "/play"
        return try await node.leavesNothing {
            let played = try await node.shell(
                "swiftlet play --back-off-scale 0.01 --state-dir \(state) \(flags) \(file)")
            let down = try await node.shell("swiftlet play --down --state-dir \(state) \(file)")
            #expect(down.status == 0, "\(down)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: state) == [])
            let lines = played.stdout.split(separator: "\n").map(String.init)
            if !played.stderr.hasPrefix("swiftlet: the pods and their logs stay") {
                Issue.record("\(played.stderr)")
            }
            return (played.status, lines.filter { !$0.contains(" probe failed: ") })
        }
    }

    @Test
    func `an init container, a sidecar and a container that fails twice go through Kubernetes' phases and states`()
        async throws
    {
        let result = try await play(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: whole}
            spec:
              restartPolicy: OnFailure
              volumes: [{name: shared, emptyDir: {}}]
              initContainers:
              - name: init
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                command: [sh, -c, "echo 0 > /shared/count; echo ready > /shared/index.html"]
                volumeMounts: [{name: shared, mountPath: /shared}]
              - name: side
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                restartPolicy: Always
                command: [sh, -c, "trap 'exit 0' TERM; httpd -p 8080 -h /shared; while :; do usleep 20000; done"]
                ports: [{name: web, containerPort: 8080}]
                startupProbe: {httpGet: {port: web, path: /index.html}, periodSeconds: 1, failureThreshold: 60}
                readinessProbe: {tcpSocket: {port: web}}
                volumeMounts: [{name: shared, mountPath: /shared, readOnly: true}]
              containers:
              - name: main
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                command:
                - sh
                - -c
                - |
                  wget -q -O - http://127.0.0.1:8080/index.html || exit 9
                  n=$(cat /shared/count); n=$((n+1)); echo $n > /shared/count
                  echo "attempt $n of $NAME" > /dev/termination-log
                  [ $n -gt 2 ]
                env: [{name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
                volumeMounts: [{name: shared, mountPath: /shared}]
            """)
        #expect(
            result.lines == [
                "default/whole: Pending",
                "default/whole/init: Waiting PodInitializing",
                "default/whole/side: Waiting PodInitializing",
                "default/whole/main: Waiting PodInitializing",
                "default/whole/init: Running",
                "default/whole/init: Terminated Completed, exit code 0",
                "default/whole/side: Running, not ready",
                "default/whole/side: Running, ready",
                "default/whole/main: Running",
                "default/whole: Running",
                "default/whole/main: Terminated Error, exit code 1: attempt 1 of whole?",
                "default/whole/main: Running, restart 1",
                "default/whole/main: Terminated Error, exit code 1: attempt 2 of whole?",
                "default/whole/main: Waiting CrashLoopBackOff: back-off 100ms restarting failed container=main"
                    + " pod=whole_default",
                "default/whole/main: Running, restart 2",
                "default/whole/main: Terminated Completed, exit code 0: attempt 3 of whole?",
                "default/whole/side: Running, not ready",
                "default/whole/side: Terminated Completed, exit code 0",
                "default/whole: Succeeded",
            ])
        #expect(result.status == 0)
    }

    @Test func `volumes, environment and users are what the manifest says`() async throws {
        let result = try await play(
            """
            kind: Pod
            metadata: {name: values, labels: {app: x}}
            spec:
              restartPolicy: Never
              securityContext: {runAsUser: 1000, runAsGroup: 1001, fsGroup: 2000, runAsNonRoot: true}
              volumes:
              - {name: scratch, emptyDir: {}}
              - {name: settings, configMap: {name: c}}
              - {name: keys, secret: {secretName: s, defaultMode: 0400}}
              - {name: self, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
              containers:
              - name: main
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                command: [sh, -c]
                args:
                - |
                  touch /scratch/mine || exit 2
                  echo x 2>/dev/null > /settings/a && exit 3
                  {
                    id -u; id -g; stat -c '%a %g' /keys/k /scratch/mine
                    cat /settings/a /keys/k /self/labels /one; echo; echo $A $(IP)
                  } | tr '\\n' ' ' > /dev/termination-log
                env:
                - {name: A, valueFrom: {configMapKeyRef: {name: c, key: a}}}
                - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                volumeMounts:
                - {name: scratch, mountPath: /scratch}
                - {name: settings, mountPath: /settings}
                - {name: keys, mountPath: /keys}
                - {name: self, mountPath: /self}
                - {name: settings, mountPath: /one, subPath: b}
            ---
            kind: ConfigMap
            metadata: {name: c}
            data: {a: alpha, b: beta}
            ---
            kind: Secret
            metadata: {name: s}
            stringData: {k: secret}
            """)
        let last = try #require(result.lines.first { $0.contains("Terminated") })
        let address = last.split(separator: " ").last.map(String.init) ?? ""
        #expect(address.hasPrefix("10."), "\(result.lines)")
        #expect(
            last.hasPrefix(
                "default/values/main: Terminated Completed, exit code 0: "
                    + "1000 1001 440 2000 644 2000 alphasecretapp=\"x\"beta alpha "), "\(last)")
        #expect(result.status == 0)
    }

    @Test
    func `an interrupted play ends the pod in its grace, hooks first, and a restart of the daemon does not touch it`()
        async throws
    {
        let node = try Node.current
        let manifest = """
            kind: Pod
            metadata: {name: patient}
            spec:
              terminationGracePeriodSeconds: 30
              containers:
              - name: main
                image: \(Node.busybox)
                imagePullPolicy: IfNotPresent
                command: [sh, -c]
                args: ["trap 'cat /tmp/hook > /dev/termination-log; exit 5' TERM; while :; do usleep 20000; done"]
                lifecycle:
                  postStart: {exec: {command: [sh, -c, "echo started > /tmp/hook"]}}
                  preStop: {exec: {command: [sh, -c, "echo stopping >> /tmp/hook"]}}
                livenessProbe: {exec: {command: [test, -f, /tmp/hook]}, periodSeconds: 1}
            """
        let file = try node.work.write(manifest, to: node.unique("manifest") + ".yaml")
        let state = node.work.path + "/play"
        let output = try node.work.write("", to: node.unique("play") + ".out")
        let program =
            ["env", "CONTAINER_RUNTIME_ENDPOINT=unix://\(node.socket)", "\(Node.binaries)/swiftlet", "play", "--rm"]
            + ["--state-dir", state, file]
        let text = { String(decoding: try readFile(output), as: UTF8.self) }
        try await node.leavesNothing {
            let process = try Commands.start(node.inside(program), stdout: output, stderr: output)
            try await eventually("the pod runs") { try text().contains("default/patient: Running\n") }
            try await node.restartDaemon()
            // nsenter(1) forks for a new PID namespace: the program is its child, and the signal is for that.
            let namespace = Processes.link(node.initProcess, "ns/pid")
            let player = try #require(
                Processes.all().first { Processes.name($0) == "swiftlet" && Processes.link($0, "ns/pid") == namespace })
            #expect(kill(player, SIGINT) == 0)
            try await eventually("the program ends") { !process.isRunning }
            let said = try text()
            #expect(process.terminationStatus == 130, "\(said)")
        }
        let lines = try text().split(separator: "\n").map(String.init)
        #expect(lines.contains("stopping the pods; once more kills them"))
        #expect(lines.contains("default/patient/main: Terminated Error, exit code 5: started?stopping?"), "\(lines)")
        #expect(lines.last == "Removed pod default/patient", "\(lines)")
    }
}
