import CLICore
import CRIProto
import Foundation
import Play
import SwiftProtobuf
import Testing

@testable import swiftlet

/// What pods of a manifest become: CRI messages and files.
@Suite struct PlayPlanTests {
    private static let yaml = """
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {note: x}}
        spec:
          hostname: front
          shareProcessNamespace: true
          terminationGracePeriodSeconds: 7
          securityContext:
            runAsUser: 1000
            runAsNonRoot: true
            fsGroup: 2000
            supplementalGroups: [3000]
            sysctls: [{name: net.core.somaxconn, value: "512"}]
          volumes:
          - {name: scratch, emptyDir: {}}
          - {name: settings, configMap: {name: c, items: [{key: a, path: deep/a.txt, mode: 0400}]}}
          - {name: keys, secret: {secretName: s, defaultMode: 0600}}
          - {name: self, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
          containers:
          - name: main
            image: example/web:1
            command: [serve, $(PORT), $$(PORT), $(NONE)]
            args: ["$(PORT)"]
            workingDir: /srv
            env: [{name: PORT, value: "80"}]
            ports: [{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}, {containerPort: 81, protocol: UDP}]
            resources: {requests: {cpu: 250m, memory: 64Mi}, limits: {cpu: 500m, memory: 128Mi}}
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities: {add: [NET_ADMIN], drop: [ALL]}
            volumeMounts:
            - {name: scratch, mountPath: /tmp, mountPropagation: HostToContainer}
            - {name: settings, mountPath: /etc/settings}
            - {name: keys, mountPath: /keys/k, subPath: k}
            - {name: self, mountPath: /self}
        ---
        kind: ConfigMap
        metadata: {name: c, namespace: shop}
        data: {a: alpha, b: beta}
        ---
        kind: Secret
        metadata: {name: s, namespace: shop}
        stringData: {k: secret}
        """

    private static func plan(_ yaml: String, state: String = "/state") throws -> PodPlan {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read(yaml, problems)
        manifest.checkReferences(problems)
        #expect(problems.errors == [])
        #expect(problems.unhonoured == [])
        return PodPlan(
            manifest: manifest, pod: try #require(manifest.pods.first), uid: "0-1",
            directory: try #require(PodDirectory(state: state, uid: "0-1")), nodeMemoryBytes: 1 << 30)
    }

    private static let facts = PodFacts(uid: "0-1", ip: "10.0.0.2", nodeName: "n", nodeIP: "10.0.0.1")

    @Test("a pod's fields become a sandbox's configuration")
    func sandbox() throws {
        let config = try Self.plan(Self.yaml).sandbox
        #expect(config.metadata.name == "web")
        #expect(config.metadata.namespace == "shop")
        #expect(config.hostname == "front")
        #expect(config.logDirectory == "/state/0-1/logs")
        #expect(config.labels["app"] == "web")
        #expect(config.labels["io.kubernetes.pod.uid"] == "0-1")
        #expect(config.labels[PlayLabel.pod] == "0-1")
        let fingerprint = try Self.plan(Self.yaml).fingerprint
        #expect(config.annotations == ["note": "x", PlayLabel.grace: "7", PlayLabel.manifest: fingerprint])
        #expect(config.portMappings.map { [$0.containerPort, $0.hostPort] } == [[80, 8080]])
        #expect(config.portMappings.first?.hostIp == "127.0.0.1")
        #expect(config.linux.sysctls == ["net.core.somaxconn": "512"])
        let security = config.linux.securityContext
        #expect(security.namespaceOptions.pid == .pod)
        #expect(security.namespaceOptions.network == .pod)
        #expect(security.runAsUser.value == 1000)
        #expect(security.supplementalGroups == [3000, 2000])
        #expect(security.seccomp.profileType == .runtimeDefault)
        #expect(!security.privileged)
    }

    @Test("a container's fields become a container's configuration")
    func container() throws {
        let plan = try Self.plan(Self.yaml)
        let image = Runtime_V1_Image.with { $0.id = "sha256:i" }
        let config = try plan.container(
            plan.pod.containers[0], attempt: 2, restarts: 1, image: image, facts: Self.facts)
        #expect(config.metadata.name == "main")
        #expect(config.metadata.attempt == 2)
        #expect(config.annotations == ["io.kubernetes.container.restartCount": "1"])
        #expect(config.image.image == "sha256:i")
        #expect(config.image.userSpecifiedImage == "example/web:1")
        #expect(config.command == ["serve", "80", "$(PORT)", "$(NONE)"])
        #expect(config.args == ["80"])
        #expect(config.workingDir == "/srv")
        #expect(config.logPath == "main/2.log")
        #expect(config.labels["io.kubernetes.container.name"] == "main")
        #expect(config.labels[PlayLabel.order] == "main")
        let resources = config.linux.resources
        #expect(resources.cpuShares == 256)
        #expect(resources.cpuPeriod == 100_000)
        #expect(resources.cpuQuota == 50_000)
        #expect(resources.memoryLimitInBytes == 128 << 20)
        // 1000 - 1000 * 64 MiB / 1 GiB
        #expect(resources.oomScoreAdj == 938)
        let security = config.linux.securityContext
        #expect(security.runAsUser.value == 1000)
        #expect(security.noNewPrivs)
        #expect(security.readonlyRootfs)
        #expect(security.capabilities.addCapabilities == ["NET_ADMIN"])
        #expect(security.capabilities.dropCapabilities == ["ALL"])
        #expect(security.maskedPaths.contains("/proc/kcore"))
        #expect(
            config.mounts.map { "\($0.hostPath) \($0.containerPath)\($0.readonly ? " ro" : "")" } == [
                "/state/0-1/volumes/scratch /tmp", "/state/0-1/volumes/settings /etc/settings ro",
                "/state/0-1/volumes/keys/k /keys/k ro", "/state/0-1/volumes/self /self ro",
                "/state/0-1/hosts /etc/hosts", "/state/0-1/messages/main-2 /dev/termination-log",
            ])
        #expect(config.mounts.first?.propagation == .propagationHostToContainer)
    }

    @Test(
        "a container that must not run as root and would is refused",
        arguments: [("", true), ("www", true), ("0", true), ("33", false)])
    func nonRoot(user: String, isRefused: Bool) throws {
        let plan = try Self.plan(
            """
            kind: Pod
            metadata: {name: p}
            spec: {containers: [{name: main, image: i, securityContext: {runAsNonRoot: true}}]}
            """)
        let image = Runtime_V1_Image.with {
            if let id = Int64(user) { $0.uid.value = id } else { $0.username = user }
        }
        let make = {
            try plan.container(plan.pod.containers[0], attempt: 0, restarts: 0, image: image, facts: Self.facts)
        }
        if isRefused {
            #expect(throws: ManifestError.self) { try make() }
        } else {
            #expect(try make().linux.securityContext.runAsUser.value == 33)
        }
    }

    @Test("volumes have the kubelet's modes, below a directory for their owner alone")
    func volumes() throws {
        let scratch = try ScratchDirectory()
        // Those in memory need root: the tests of the whole daemon have them.
        let yaml = Self.yaml.replacing("fsGroup: 2000", with: "")
            .replacing("secret: {secretName: s, defaultMode: 0600}", with: "configMap: {name: c, defaultMode: 0600}")
            .replacing(
                "downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}", with: "emptyDir: {}")
        let plan = try Self.plan(yaml, state: scratch.path + "/state")
        let lock = try plan.directory.make(
            plan.manifest, plan.pod, Self.facts, nodeMemoryBytes: 1 << 30, runtime: "unix:///r")
        #expect(plan.directory.runtime == "unix:///r")
        // As long as this process drives the pod, no other can.
        #expect(try plan.directory.lock() == nil)
        withExtendedLifetime(lock) {}
        func mode(_ path: String) throws -> String {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path + "/state" + path)
            return String((attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1, radix: 8)
        }
        func text(_ path: String) throws -> String {
            try String(contentsOfFile: plan.directory.path + "/volumes/" + path, encoding: .utf8)
        }
        #expect(try mode("") == "700")
        #expect(try mode("/0-1") == "700")
        #expect(try mode("/0-1/volumes/scratch") == "777")
        #expect(try mode("/0-1/volumes/settings/deep") == "755")
        #expect(try mode("/0-1/volumes/settings/deep/a.txt") == "400")
        #expect(try mode("/0-1/volumes/keys/b") == "600")
        #expect(try text("settings/deep/a.txt") == "alpha")
        #expect(try text("keys/b") == "beta")
        #expect(!FileManager.default.fileExists(atPath: plan.directory.path + "/volumes/settings/b"))

        try plan.directory.makeMessage("main", 0)
        #expect(try mode("/0-1/messages/main-0") == "666")
        try Data(String(repeating: "x", count: 10_000).utf8).write(
            to: URL(filePath: plan.directory.message("main", 0)), options: [])
        #expect(plan.directory.readMessage("main", 0).count == 4096)
        #expect(plan.directory.readMessage("main", 1) == "")

        try plan.directory.makeHosts("first")
        try plan.directory.makeHosts("second")
        #expect(try mode("/0-1/hosts") == "644")
        #expect(try String(contentsOfFile: plan.directory.hosts, encoding: .utf8) == "first")

        let records = (1...100).map { "2026-01-01T00:00:00Z stdout F line \($0)\n" }.joined()
        try FileManager.default.createDirectory(
            atPath: plan.directory.logs + "/main", withIntermediateDirectories: true)
        try Data(records.utf8).write(to: URL(filePath: plan.directory.logs + "/main/0.log"))
        let last = plan.directory.readLogEnd("main", 0)
        #expect(last == (21...100).map { "line \($0)\n" }.joined())
        let long = "2026-01-01T00:00:00Z stderr P " + String(repeating: "y", count: 16_000) + "\n"
        try Data(String(repeating: long, count: 10).utf8).write(to: URL(filePath: plan.directory.logs + "/main/0.log"))
        #expect(plan.directory.readLogEnd("main", 0).utf8.count == 2048)

        try plan.directory.remove()
        try plan.directory.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/state") == [])
    }

    @Test(
        "a uid that is no name is no directory", arguments: ["", "..", "a/b", "A", String(repeating: "a", count: 65)])
    func badUID(uid: String) { #expect(PodDirectory(state: "/state", uid: uid) == nil) }

    @Test("a hostPath's type is made or demanded")
    func hostPaths() throws {
        let scratch = try ScratchDirectory()
        let manager = FileManager.default
        try HostPath.prepare(scratch.path + "/a/b", type: "DirectoryOrCreate")
        try HostPath.prepare(scratch.path + "/a/b", type: "Directory")
        try HostPath.prepare(scratch.path + "/a/f", type: "FileOrCreate")
        try HostPath.prepare(scratch.path + "/a/f", type: "File")
        try HostPath.prepare("/dev/null", type: "CharDevice")
        try HostPath.prepare("/nowhere", type: "")
        #expect(manager.fileExists(atPath: scratch.path + "/a/f"))
        for (path, type) in [
            (scratch.path + "/a/f", "Directory"), (scratch.path + "/a", "File"), ("/nowhere", "Directory"),
            ("/dev/null", "BlockDevice"), ("/dev/null", "Socket"), (scratch.path + "/a", "FileOrCreate"),
        ] { #expect(throws: Failure.self) { try HostPath.prepare(path, type: type) } }
    }
}
