package import Model
import Synchronization

/// The last operations on pods and containers, in memory, also of pods that are gone.
///
/// At most `podsMax` pods with `perPodMax` operations each, and `allMax` operations in all: the pod that had none for the longest
/// time goes first. With the bounds of an `OperationRecord` that is some 30 MB at the worst.
package final class OperationLog: Sendable {
    package static let podsMax = 256
    package static let perPodMax = 64
    package static let allMax = 4096
    /// Failed execs that are kept of a pod, so that a probe that fails all day does not push out its start.
    package static let execsPerPodMax = 8
    static let exec = "ExecSync"

    private struct Pod {
        var operations: [(number: UInt64, recorder: OperationRecorder)] = []
        var isExec: [Bool] = []
        var last: UInt64 { operations.last?.number ?? 0 }

        mutating func remove(at index: Int) {
            operations.remove(at: index)
            isExec.remove(at: index)
        }
    }

    private struct State {
        var pods: [PodID: Pod] = [:]
        var count = 0
        var next: UInt64 = 1
    }

    private let state = Mutex(State())
    private let observers = Mutex<[any OperationObserver]>([])

    package init() {}

    /// Tells `observer` of operations that begin from now on.
    package func add(_ observer: any OperationObserver) { observers.withLock { $0.append(observer) } }

    func recorder(_ name: String, _ subject: OperationRecord.Subject, at now: Int64) -> OperationRecorder {
        OperationRecorder(name, subject, at: now, observers: observers.withLock { $0 })
    }

    /// Keeps an operation, from its start on.
    func keep(_ recorder: OperationRecorder, of pod: PodID, isExec: Bool = false) {
        state.withLock { state in
            let number = state.next
            state.next += 1
            var kept = state.pods.removeValue(forKey: pod) ?? Pod()
            state.count -= kept.operations.count
            if isExec, kept.isExec.count(where: { $0 }) >= Self.execsPerPodMax,
                let first = kept.isExec.firstIndex(of: true)
            {
                kept.remove(at: first)
            }
            if kept.operations.count >= Self.perPodMax { kept.remove(at: 0) }
            kept.operations.append((number, recorder))
            kept.isExec.append(isExec)
            while state.pods.count >= Self.podsMax || state.count + kept.operations.count > Self.allMax,
                let oldest = state.pods.min(by: { $0.value.last < $1.value.last })
            {
                state.pods[oldest.key] = nil
                state.count -= oldest.value.operations.count
            }
            state.pods[pod] = kept
            state.count += kept.operations.count
        }
    }

    /// Oldest first: all of them, or those on the pod (with its containers) or container whose id begins with `text`.
    package func operations(of text: String = "") throws(Fault) -> [OperationRecord] {
        let recorders = state.withLock { $0.pods.values.flatMap(\.operations) }
        let all = recorders.sorted { $0.number < $1.number }.map(\.recorder.record)
        guard !text.isEmpty else { return all }
        let pods = Set(all.map(\.subject.pod.text).filter { $0.hasPrefix(text) })
        let containers = Set(all.map(\.subject.container).filter { $0.hasPrefix(text) })
        guard pods.count + containers.count <= 1 else {
            throw Fault.invalid("id: \"\(text)\" begins the ids of several pods or containers")
        }
        return all.filter { pods.contains($0.subject.pod.text) || containers.contains($0.subject.container) }
    }
}

extension Runtime {
    /// Runs a call on a pod or container and keeps where its time went.
    func recorded<Result>(
        _ name: String, _ subject: OperationRecord.Subject, _ body: () async throws -> Result
    ) async throws -> Result {
        let recorder = operations.recorder(name, subject, at: ports.clock.now())
        operations.keep(recorder, of: subject.pod)
        do {
            let result = try await OperationRecorder.$scope.withValue(.init(recorder: recorder, stage: nil)) {
                try await body()
            }
            recorder.finish(nil)
            return result
        } catch {
            recorder.finish(error)
            throw error
        }
    }

    /// Runs a command in a container and keeps the call if it failed; one that exits with another code than 0 has not.
    func recordedExec(
        _ container: ContainerController, _ body: () async throws -> ExecOutcome
    ) async throws -> ExecOutcome {
        let (startedAt, began) = (ports.clock.now(), ContinuousClock.now)
        func keep(_ error: any Error) {
            let subject = OperationRecord.Subject(container)
            let recorder = OperationRecorder(OperationLog.exec, subject, at: startedAt, began: began)
            recorder.finish(error)
            operations.keep(recorder, of: subject.pod, isExec: true)
        }
        do {
            let outcome = try await body()
            if case .timedOut = outcome {
                keep(Fault(.deadlineExceeded, "exec: the command ran too long and was killed"))
            }
            return outcome
        } catch {
            keep(error)
            throw error
        }
    }
}
