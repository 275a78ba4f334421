import Model
import Synchronization
import TestFakes
import Testing

@testable import Lifecycle

@Suite("Operations")
struct OperationTests {
    @Test("a pod's life leaves its operations with their stages, also when the pod is gone")
    func wholeLife() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        try await bench.runtime.stopContainer(id.text, timeout: .seconds(10))
        try await bench.runtime.removeContainer(id.text)
        try await bench.runtime.stopPod(pod.text)
        try await bench.runtime.removePod(pod.text)
        let kept = try bench.runtime.operations.operations()
        #expect(
            kept.map(\.name) == [
                "RunPodSandbox", "CreateContainer", "StartContainer", "StopContainer", "RemoveContainer",
                "StopPodSandbox", "RemovePodSandbox",
            ])
        #expect(kept.allSatisfy { $0.error.isEmpty && $0.duration > 0 && $0.subject.pod == pod })
        #expect(kept.allSatisfy { $0.subject.podName == "web" && $0.subject.podNamespace == "default" })
        #expect(kept.map(\.subject.container) == ["", id.text, id.text, id.text, id.text, "", ""])
        #expect(kept.map(\.subject.containerName) == ["", "main", "main", "main", "main", "", ""])
        #expect(
            kept[0].stages.map(\.name) == [.record, .hostFiles, .cgroup, .supervisor, .network, .finalRecord])
        #expect(
            kept[1].stages.map(\.name) == [
                .image, .user, .record, .retainImage, .writableLayer, .trialPlan, .description, .plan, .finalRecord,
            ])
        #expect(kept[2].stages.map(\.name) == [.description, .plan, .record, .cgroup, .launch])
        for operation in kept {
            let end = operation.stages.map { $0.start + $0.duration }.max() ?? 0
            #expect(operation.stages.allSatisfy { $0.duration > 0 && !$0.hasFailed } && end <= operation.duration)
            #expect(operation.stages.map(\.start) == operation.stages.map(\.start).sorted())
        }
        let parents = kept[1].stages.map { stage in stage.parent.map { kept[1].stages[$0].name } }
        #expect(parents == [nil, .image, nil, nil, nil, nil, .trialPlan, .trialPlan, nil])
        #expect(kept[0].stages[4].detail == "10.0.0.2, fd00::2")
        #expect(kept[1].stages[0].detail.contains(" layer") && kept[2].stages[4].detail.hasSuffix(" steps"))
    }

    @Test("what a pod's stop does to its containers is a part of a stage of it")
    func nesting() async throws {
        let bench = Bench()
        let (pod, _) = try await bench.runContainer()
        try await bench.runtime.stopPod(pod.text)
        let stop = try #require(try bench.runtime.operations.operations().last)
        let containers = try #require(stop.stages.firstIndex { $0.name == .containers })
        let kill = try #require(stop.stages.first { $0.name == .kill && $0.parent != nil })
        #expect(kill.parent == containers)
        #expect(stop.stages[containers].start <= kill.start)
    }

    @Test("a failed operation is kept with its error and the stage that failed")
    func failure() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        await #expect(throws: Fault.self) {
            _ = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container(image: "no"))
        }
        let kept = try #require(try bench.runtime.operations.operations().last)
        #expect(kept.name == "CreateContainer" && kept.subject.containerName == "main")
        #expect(kept.error.contains("image \"no\" is not on this node"))
        #expect(kept.stages.map(\.name) == [.image] && kept.stages[0].hasFailed)
    }

    @Test("the bounds hold for stages and errors")
    func boundsOfOne() async throws {
        let recorder = OperationRecorder("Test", try await subject(), at: 1)
        await OperationRecorder.$scope.withValue(.init(recorder: recorder, stage: nil)) {
            for _ in 0..<(OperationRecord.stagesMax + 10) {
                await stage(.record, about: String(repeating: "é", count: 1 << 16)) {}
            }
        }
        recorder.finish(Fault.invalid(String(repeating: "é", count: 1 << 16)))
        let record = recorder.record
        #expect(record.stages.count == OperationRecord.stagesMax)
        #expect(record.stages.allSatisfy { $0.detail.utf8.count <= OperationRecord.detailBytesMax + 2 })
        #expect(record.error.utf8.count <= OperationRecord.errorBytesMax + 2)
        // What goes on after the call has returned is not the call's.
        await OperationRecorder.$scope.withValue(.init(recorder: recorder, stage: nil)) { await stage(.wait) {} }
        #expect(recorder.record == record)
    }

    @Test("who watches is told of each stage as it ends, also of one that outlives its call, and of each call")
    func watching() async throws {
        let log = OperationLog()
        let seen = Seen()
        log.add(seen)
        let recorder = log.recorder("Test", try await subject(), at: 1)
        let place = OperationRecorder.$scope.withValue(.init(recorder: recorder, stage: nil)) { StagePlace.current }
        place?.begin(.kill)?.end()
        let late = place?.begin(.wait, "long")
        recorder.finish(nil)
        #expect(place?.begin(.kill) == nil)
        late?.end(failed: true, detail: "longer")
        let all = seen.all.withLock { $0 }
        #expect(all.map(\.stage?.name) == [.kill, nil, .wait] && all[1].record?.stages.count == 2)
        #expect(all[2].stage?.hasFailed == true && all[2].stage?.detail == "longer")
    }

    private final class Seen: OperationObserver {
        let all = Mutex<[(stage: OperationRecord.Stage?, record: OperationRecord?)]>([])

        func stageEnded(_ stage: OperationRecord.Stage, of operation: String) {
            all.withLock { $0.append((stage, nil)) }
        }
        func ended(_ record: OperationRecord) { all.withLock { $0.append((nil, record)) } }
    }

    @Test("the log keeps the last pods, the last operations of each, and few failed execs")
    func boundsOfAll() async throws {
        let subject = try await subject()
        func add(_ name: String, _ pod: PodID, to log: OperationLog, isExec: Bool = false) {
            var subject = subject
            subject.pod = pod
            log.keep(OperationRecorder(name, subject, at: 1), of: pod, isExec: isExec)
        }
        let one = PodID.random()
        let log = OperationLog()
        add("first", one, to: log)
        for _ in 0..<100 { add("ExecSync", one, to: log, isExec: true) }
        #expect(try log.operations().map(\.name) == ["first"] + Array(repeating: "ExecSync", count: 8))
        for index in 0..<100 { add("\(index)", one, to: log) }
        #expect(try log.operations().map(\.name) == (36..<100).map(String.init))

        let pods = (0..<300).map { _ in PodID.random() }
        for pod in pods { add("run", pod, to: log) }
        #expect(try log.operations().map(\.subject.pod) == Array(pods.suffix(OperationLog.podsMax)))
        for pod in pods.suffix(100) { for _ in 0..<64 { add("again", pod, to: log) } }
        let all = try log.operations()
        #expect(all.count <= OperationLog.allMax && all.count > OperationLog.allMax - 64)
        #expect(all.last?.subject.pod == pods.last)
    }

    @Test("a beginning of an id selects, and one of several ids is refused")
    func selection() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        let operations = bench.runtime.operations
        #expect(try operations.operations(of: pod.short).count == 3)
        #expect(try operations.operations(of: id.text).map(\.name) == ["CreateContainer", "StartContainer"])
        #expect(try operations.operations(of: "nothing").isEmpty)
        // Among 17 ids two begin with the same digit.
        for index in 0..<17 { _ = try await bench.runPod("other\(index)") }
        let refused = "0123456789abcdef".filter { digit in
            do { _ = try operations.operations(of: String(digit)) } catch { return true }
            return false
        }
        #expect(!refused.isEmpty)
    }

    private func subject() async throws -> OperationRecord.Subject {
        let bench = Bench()
        _ = try await bench.runPod()
        return try #require(try bench.runtime.operations.operations().first).subject
    }
}
