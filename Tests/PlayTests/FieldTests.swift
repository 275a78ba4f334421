import Testing

@testable import Play

/// Fields of volumes, names and variables.
@Suite struct FieldTests {
    private static func read(_ spec: String, _ objects: String = "") throws -> (Manifest, ManifestProblems) {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read("kind: Pod\nmetadata: {name: p}\nspec: {\(spec)}\n\(objects)", problems)
        if problems.errors.isEmpty { manifest.checkReferences(problems) }
        return (manifest, problems)
    }

    private static func pod(_ spec: String) throws -> PodManifest {
        let (manifest, problems) = try read(spec + ", containers: [{name: a, image: i}]")
        #expect(problems.errors == [])
        #expect(problems.unhonoured == [])
        return try #require(manifest.pods.first)
    }

    private static let facts = PodFacts(uid: "u", ip: "", nodeName: "n", nodeIP: "")

    @Test("volumes with secrets and those that ask for it are in memory, no larger than the pod's memory")
    func memory() throws {
        let (manifest, problems) = try Self.read(
            """
            volumes: [{name: s, secret: {secretName: s, optional: true}}, {name: c, configMap: {name: c, optional: true}},
              {name: p, projected: {sources: []}}, {name: d, downwardAPI: {}}, {name: e, emptyDir: {}},
              {name: m, emptyDir: {medium: Memory, sizeLimit: 1Mi}}, {name: n, emptyDir: {medium: Memory}},
              {name: z, emptyDir: {medium: Memory, sizeLimit: 0}}],
            initContainers: [{name: i, image: i, resources: {limits: {memory: 1Mi}}}],
            containers: [{name: a, image: i, resources: {limits: {memory: 2Mi}}}, {name: b, image: i, resources: {limits: {memory: 3Mi}}}]
            """)
        #expect(problems.errors == [])
        let pod = try #require(manifest.pods.first)
        #expect(pod.volumes.filter(\.isInMemory).map(\.name) == ["s", "p", "d", "m", "n", "z"])
        let sizes = pod.volumes.suffix(3).map { $0.memoryBytes(in: pod, nodeMemoryBytes: 1 << 30) >> 20 }
        #expect(sizes == [1, 5, 5])
        var free = pod
        free.containers[0].limits = [:]
        #expect(free.volumes[6].memoryBytes(in: free, nodeMemoryBytes: 1 << 30) == 1 << 30)
        // A size of nothing would be no limit.
        #expect(free.volumes[6].memoryBytes(in: free, nodeMemoryBytes: 0) == 4096)
    }

    @Test("a projected volume has the files of all its sources; of two in one place the later stands")
    func projected() throws {
        let (manifest, problems) = try Self.read(
            """
            containers: [{name: a, image: i}], volumes: [{name: v, projected: {defaultMode: 0440, sources: [
              {configMap: {name: c}}, {secret: {name: s, items: [{key: k, path: deep/k, mode: 0400}, {key: k, path: b}]}},
              {secret: {name: absent, optional: true}},
              {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}]}}]
            """,
            """
            ---
            {kind: ConfigMap, metadata: {name: c}, data: {a: alpha, b: beta}}
            ---
            {kind: Secret, metadata: {name: s}, stringData: {k: key}}
            """)
        #expect(problems.errors == [])
        let pod = try #require(manifest.pods.first)
        let files = try #require(try ValueResolver(manifest, pod, Self.facts).files(of: pod.volumes[0]))
        #expect(
            files.map { "\($0.path) \(String($0.mode, radix: 8)) \(String(decoding: $0.bytes, as: UTF8.self))" } == [
                "a 440 alpha", "deep/k 400 key", "b 440 key", "name 440 p",
            ])
    }

    @Test("what volumes cannot be is refused with its line")
    func refused() throws {
        let (_, problems) = try Self.read(
            """
            containers: [{name: a, image: i, volumeMounts: [{name: e, mountPath: /e, subPath: ../x}]}], volumes: [
              {name: e, emptyDir: {sizeLimit: 1Gi}},
              {name: h, emptyDir: {medium: HugePages}},
              {name: m, emptyDir: {medium: Memory, sizeLimit: much}},
              {name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]
            """)
        #expect(
            problems.errors == [
                "line 6: spec.volumes[2].emptyDir.sizeLimit is \"much\", not a quantity",
                "line 3: spec.containers[0].volumeMounts[0].subPath leads out of the volume",
            ])
        #expect(
            problems.unhonoured == [
                "line 4: spec.volumes[0].emptyDir.sizeLimit cannot be honoured",
                "line 5: spec.volumes[1].emptyDir.medium cannot be honoured",
                "line 7: spec.volumes[3].projected.sources[0].serviceAccountToken cannot be honoured",
            ])
    }

    @Test("variables of objects that may be absent are left out")
    func optional() throws {
        let (manifest, problems) = try Self.read(
            """
            containers: [{name: a, image: i, envFrom: [{secretRef: {name: absent, optional: true}}], env: [
              {name: A, valueFrom: {configMapKeyRef: {name: c, key: none, optional: true}}},
              {name: B, valueFrom: {configMapKeyRef: {name: c, key: k, optional: true}}}]}]
            """, "---\n{kind: ConfigMap, metadata: {name: c}, data: {k: v}}\n")
        #expect(problems.errors == [])
        let pod = try #require(manifest.pods.first)
        let values = try ValueResolver(manifest, pod, Self.facts).environment(of: pod.containers[0])
        #expect(values.map { "\($0.name)=\($0.value)" } == ["B=v"])
    }

    @Test("the pod's resolver is the node's with the pod's words behind, or the pod's alone")
    func resolver() throws {
        let node = ResolverSettings(
            parsing:
                "# x\nnameserver 10.0.0.1\nnameserver\nsearch a b\nsearch c d\noptions ndots:1 rotate\nsortlist 1\n")
        #expect(node.servers == ["10.0.0.1"])
        #expect(node.searches == ["c", "d"])
        #expect(try Self.pod("dnsPolicy: ClusterFirst").dns == nil)
        let config =
            "dnsConfig: {nameservers: [10.0.0.1, 1.1.1.1], searches: [d, e], options: [{name: ndots, value: \"5\"}, {name: debug}]}"
        let added = try #require(try Self.pod(config).dns).merged(with: node)
        #expect(added.servers == ["10.0.0.1", "1.1.1.1"])
        #expect(added.searches == ["c", "d", "e"])
        #expect(added.options == ["rotate", "ndots:5", "debug"])
        let alone = try #require(try Self.pod(config + ", dnsPolicy: None").dns).merged(with: node)
        #expect(alone.searches == ["d", "e"])
        #expect(alone.options == ["ndots:5", "debug"])
        for spec in [
            "dnsPolicy: None", "dnsPolicy: None, dnsConfig: {searches: [a]}", "dnsPolicy: Other",
            "dnsConfig: {nameservers: [\"1.1.1.1\\nsearch x\"]}", "hostAliases: [{ip: 1.2.3.4, hostnames: [\"a b\"]}]",
        ] { #expect(try Self.read(spec + ", containers: [{name: a, image: i}]").1.errors.count == 1, "\(spec)") }
    }

    @Test("the hosts file is a kubelet's")
    func hosts() throws {
        let pod = try Self.pod("hostAliases: [{ip: 1.2.3.4, hostnames: [a, b]}]")
        let lines = pod.hostsFile(ip: "10.0.0.2", node: "").split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "# Kubernetes-managed hosts file.")
        #expect(lines.suffix(5) == ["10.0.0.2\tp", "", "# Entries added by HostAliases.", "1.2.3.4\ta\tb", ""])
        let shared = try Self.pod("hostNetwork: true").hostsFile(ip: "", node: "127.0.0.1 x")
        #expect(shared == "# Kubernetes-managed hosts file (host network).\n127.0.0.1 x\n")
    }

    @Test("fields that choose a node or a class mean nothing here, and the account has two names")
    func ignored() throws {
        let pod = try Self.pod("tolerations: [{operator: Exists}], priorityClassName: high, serviceAccount: robot")
        #expect(pod.serviceAccount == "robot")
    }

    @Test("kinds and volumes that are not known here can be left out, and a List is its items")
    func otherKinds() throws {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read(
            """
            apiVersion: v1
            kind: List
            metadata: {resourceVersion: ""}
            items:
            - kind: Pod
              metadata: {name: p}
              spec:
                volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]
                containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /v}]}]
            - {kind: Service, apiVersion: v1, spec: {x: y}}
            - {kind: List, items: []}
            ---
            {kind: Deployment, apiVersion: apps/v1}
            """, problems)
        #expect(problems.errors == [])
        #expect(
            problems.unhonoured == [
                "line 8: items[0].spec.volumes[0].persistentVolumeClaim: volumes of this kind cannot be honoured",
                "line 10: the kind \"Service\" cannot be honoured: only Pod, ConfigMap and Secret",
                "line 11: the kind \"List\" cannot be honoured: only Pod, ConfigMap and Secret",
                "line 13: the kind \"Deployment\" cannot be honoured: only Pod, ConfigMap and Secret",
            ])
        #expect(manifest.pods.map(\.name) == ["p"])
    }

    @Test("a pod with a subdomain has a full name, and shows it where it is asked to")
    func fullNames() throws {
        let pod = try Self.pod("hostname: h, subdomain: s")
        #expect(pod.ownHostname == "h")
        #expect(pod.hostsFile(ip: "10.0.0.2", node: "").hasSuffix("10.0.0.2\th.s.default.svc.cluster.local\th\n"))
        #expect(try Self.pod("subdomain: s, setHostnameAsFQDN: true").ownHostname == "p.s.default.svc.cluster.local")
        #expect(try Self.pod("setHostnameAsFQDN: true").ownHostname == "p")
        let long = String(repeating: "s", count: 50)
        for spec in ["hostname: a.b", "subdomain: A", "subdomain: \(long), setHostnameAsFQDN: true"] {
            #expect(try Self.read(spec + ", containers: [{name: a, image: i}]").1.errors.count == 1, "\(spec)")
        }
    }

    @Test("a gRPC probe needs a port's number, and is no hook")
    func grpc() throws {
        let (manifest, problems) = try Self.read(
            "containers: [{name: a, image: i, readinessProbe: {grpc: {port: 50, service: s}}}]")
        #expect(problems.errors == [])
        #expect(manifest.pods.first?.containers.first?.readiness?.handler == .grpc(port: 50, service: "s"))
        for field in [
            "readinessProbe: {grpc: {}}", "readinessProbe: {grpc: {port: web}}",
            "lifecycle: {preStop: {grpc: {port: 50}}}",
        ] {
            #expect(try !Self.read("containers: [{name: a, image: i, \(field)}]").1.errors.isEmpty, "\(field)")
        }
    }
}
