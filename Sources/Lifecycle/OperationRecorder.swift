import Model
import Synchronization

/// Takes the times of one operation. It reaches the operation's parts as a task-local value, which tasks that the operation
/// starts inherit: a creation that goes on in a task of its own is still the call's that began it.
final class OperationRecorder: Sendable {
    /// The operation under way in this task, and the stage that new stages are a part of.
    struct Scope: Sendable {
        let recorder: OperationRecorder
        let stage: Int?
    }

    @TaskLocal static var scope: Scope?

    private let began: ContinuousClock.Instant
    private let state: Mutex<OperationRecord>
    private let observers: [any OperationObserver]

    init(
        _ name: String, _ subject: OperationRecord.Subject, at now: Int64, began: ContinuousClock.Instant = .now,
        observers: [any OperationObserver] = []
    ) {
        self.began = began
        state = Mutex(OperationRecord(name: name, subject: subject, caller: TraceParent.current, startedAt: now))
        self.observers = observers
    }

    var record: OperationRecord { state.withLock { $0 } }

    /// The call made a container and knows its id now.
    func identify(_ container: ContainerID) { state.withLock { $0.subject.container = container.text } }

    /// The call returns. What its work still does, because the client left, is not counted.
    func finish(_ error: (any Error)?) {
        let duration = elapsed
        let text = error.map { Self.bounded("\($0)", OperationRecord.errorBytesMax) } ?? ""
        let record = state.withLock { record in
            record.duration = duration
            record.error = text
            return record
        }
        for observer in observers { observer.ended(record) }
    }

    /// The index of the new stage; nil when no more are kept.
    func begin(_ name: StageName, _ detail: String, in parent: Int?) -> Int? {
        let start = elapsed
        return state.withLock { record in
            guard record.stages.count < OperationRecord.stagesMax, record.duration == 0 else { return nil }
            record.stages.append(
                .init(
                    name: name, detail: Self.bounded(detail, OperationRecord.detailBytesMax), start: start,
                    parent: parent))
            return record.stages.count - 1
        }
    }

    /// Also of a stage that goes on after the call has returned: its time is what it took.
    func end(_ index: Int, failed: Bool) {
        let now = elapsed
        let (operation, stage) = state.withLock { record in
            record.stages[index].duration = max(1, now - record.stages[index].start)
            record.stages[index].hasFailed = failed
            return (record.name, record.stages[index])
        }
        for observer in observers { observer.stageEnded(stage, of: operation) }
    }

    func describe(_ stage: Int, _ detail: String) {
        let detail = Self.bounded(detail, OperationRecord.detailBytesMax)
        state.withLock { $0.stages[stage].detail = detail }
    }

    /// Never 0: that means that it runs.
    private var elapsed: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return max(1, seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    }

    private static func bounded(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        return String(decoding: text.utf8.prefix(bytesMax), as: UTF8.self)
    }
}
