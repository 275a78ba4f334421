import Testing

@testable import Play

@Suite struct PodSnapshotTests {
    private static func snapshot(
        _ state: ContainerState, _ previous: Termination? = nil, restarts: Int = 0, ready: Bool? = nil
    )
        -> PodSnapshot
    {
        PodSnapshot(
            pod: "d/p", phase: .Running, isReady: false, message: "",
            rows: [.init(name: "a", state: state, previousEnd: previous, restarts: restarts, isReady: ready)])
    }

    private static let failed = Termination(exitCode: 1, reason: "Error")

    @Test(
        "each change of a container is a sentence",
        arguments: [
            (ContainerState.running, ContainerState.running, nil, []),
            (.waiting(reason: "ContainerCreating", message: ""), .running, nil, ["d/p/a: Running"]),
            (.running, .terminated(failed), nil, ["d/p/a: Terminated Error, exit code 1"]),
            (
                .running, .waiting(reason: "CrashLoopBackOff", message: "later"), failed,
                ["d/p/a: Terminated Error, exit code 1", "d/p/a: Waiting CrashLoopBackOff: later"]
            ),
        ] as [(ContainerState, ContainerState, Termination?, [String])])
    func changes(before: ContainerState, after: ContainerState, end: Termination?, expected: [String]) {
        #expect(Self.snapshot(after, end).changes(since: Self.snapshot(before)) == expected)
    }

    @Test("readiness and restarts are said, the phase last")
    func more() {
        let ready = Self.snapshot(.running, ready: true)
        let unready = Self.snapshot(.running, ready: false)
        #expect(ready.changes(since: unready) == ["d/p/a: Running, ready"])
        #expect(
            Self.snapshot(.running, Self.failed, restarts: 2).changes(since: Self.snapshot(.terminated(Self.failed)))
                == ["d/p/a: Running, restart 2"])
        var over = Self.snapshot(.terminated(Self.failed))
        over.phase = .Failed
        #expect(
            over.changes(since: Self.snapshot(.running)) == ["d/p/a: Terminated Error, exit code 1", "d/p: Failed"])
        over.message = "no network"
        #expect(over.changes(since: nil) == ["d/p: Failed: no network", "d/p/a: Terminated Error, exit code 1"])
    }

    @Test("waits are written as a kubelet writes them")
    func waits() {
        var texts: [String] = []
        for scale in [1.0, 0.001] {
            var backOff = BackOff(scale: scale)
            for _ in 0..<6 {
                backOff.noteRestart(at: .zero)
                texts.append(backOff.text)
            }
        }
        #expect(
            texts == ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "10ms", "20ms", "40ms", "80ms", "160ms", "300ms"])
    }
}

@Suite struct ManifestCheckTests {
    private func problems(_ spec: String, _ others: String = "") throws -> ManifestProblems {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read("kind: Pod\nmetadata: {name: p}\nspec:\n" + spec + others, problems)
        manifest.checkReferences(problems)
        return problems
    }

    @Test(
        "what the file does not have is named with its line",
        arguments: [
            ("volumes:\n  - {name: v, configMap: {name: c}}", "line 5: the file has no ConfigMap \"c\""),
            ("volumes:\n  - {name: v, secret: {secretName: s}}", "line 5: the file has no Secret \"s\""),
            (
                "volumes:\n  - {name: v, configMap: {name: m, items: [{key: k, path: x}]}}",
                "line 5: volume \"v\" has no key \"k\" to show"
            ),
            (
                "volumes:\n  - {name: v, downwardAPI: {items: [{path: x, fieldRef: {fieldPath: nothing}}]}}",
                "line 5: the field \"nothing\" is not one that a pod can be told"
            ),
        ])
    func references(volumes: String, message: String) throws {
        let map = "\n---\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: b}\n"
        let found = try problems("  \(volumes)\n  containers: [{name: a, image: i}]", map)
        #expect(found.errors == [message])
    }

    @Test("an optional object may be missing, and items choose and rename")
    func optional() throws {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read(
            """
            kind: Pod
            metadata: {name: p}
            spec:
              volumes:
              - {name: v, configMap: {name: c, optional: true}}
              - {name: w, secret: {secretName: s, optional: true, items: [{key: a, path: b/c, mode: 0400}, {key: x, path: y}]}}
              containers: [{name: a, image: i}]
            ---
            kind: Secret
            metadata: {name: s}
            stringData: {a: "1", d: "2"}
            """, problems)
        manifest.checkReferences(problems)
        #expect(problems.errors == [])
        let pod = try #require(manifest.pods.first)
        let resolver = ValueResolver(manifest, pod, PodFacts(uid: "", ip: "", nodeName: "", nodeIP: ""))
        #expect(try resolver.files(of: pod.volumes[0]) == [])
        #expect(try resolver.files(of: pod.volumes[1]) == [VolumeFile(path: "b/c", bytes: [49], mode: 0o400)])
    }

    @Test("keys and paths that would lead out of a volume are refused")
    func escapes() throws {
        let bad =
            "kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: i}]}\n---\nkind: ConfigMap\nmetadata: {name: c}\ndata: {KEY: x}\n"
        for key in ["..", "../x", "a/b", "\"\"", "..data", "\"a b\""] {
            let problems = ManifestProblems()
            _ = try ManifestReader.read(bad.replacing("KEY", with: key), problems)
            #expect(problems.errors.count == 1, "\(key): \(problems.errors)")
        }
        let path = try problems(
            "  volumes:\n  - {name: v, configMap: {name: c, items: [{key: k, path: ../x}]}}\n  containers: [{name: a, image: i}]"
        )
        #expect(path.errors.contains("line 5: spec.volumes[0].configMap.items[0].path leads out of the volume"))
    }

    @Test("a subPath is honoured in every volume, and does not lead out of it")
    func subPaths() throws {
        func found(_ source: String, _ subPath: String = "x") throws -> ManifestProblems {
            try problems(
                "  volumes: [{name: v, \(source)}]\n  containers:\n  - {name: a, image: i, volumeMounts: [{name: v, mountPath: /v, subPath: \(subPath)}]}",
                "\n---\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: y}\n")
        }
        for source in ["configMap: {name: c}", "emptyDir: {}", "hostPath: {path: /x}"] {
            let good = try found(source)
            #expect(good.errors + good.unhonoured == [])
        }
        #expect(try found("configMap: {name: c}", "../x").errors.count == 1)
    }

    @Test(
        "the quality of service is the API's, and gives the kubelet's scores",
        arguments: [
            ("{}", QualityOfService.BestEffort, 1000), ("{limits: {cpu: 1, memory: 1Gi}}", .Guaranteed, -997),
            ("{requests: {memory: 256Mi}}", .Burstable, 750), ("{limits: {cpu: 1}}", .Burstable, 999),
            ("{requests: {memory: 2Gi}}", .Burstable, 3),
        ] as [(String, QualityOfService, Int64)])
    func quality(resources: String, quality: QualityOfService, score: Int64) throws {
        let found = ManifestProblems()
        let manifest = try ManifestReader.read(
            "kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: i, resources: \(resources)}]}", found)
        #expect(found.errors == [])
        let pod = try #require(manifest.pods.first)
        #expect(pod.quality == quality)
        #expect(pod.killScore(of: pod.containers[0], nodeMemoryBytes: 1 << 30) == score)
    }
}
