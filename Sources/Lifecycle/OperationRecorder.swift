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

    private let began = ContinuousClock.now
    private let state: Mutex<OperationRecord>

    init(_ name: String, _ subject: OperationRecord.Subject, at now: Int64) {
        state = Mutex(OperationRecord(name: name, subject: subject, startedAt: now))
    }

    var record: OperationRecord { state.withLock { $0 } }

    /// The call made a container and knows its id now.
    func identify(_ container: ContainerID) { state.withLock { $0.subject.container = container.text } }

    /// The call returns. What its work still does, because the client left, is not counted.
    func finish(_ error: (any Error)?) {
        let duration = elapsed
        let text = error.map { Self.bounded("\($0)") } ?? ""
        state.withLock { record in
            record.duration = duration
            record.error = text
        }
    }

    /// The index of the new stage; nil when no more are kept.
    fileprivate func begin(_ name: String, in parent: Int?) -> Int? {
        let start = elapsed
        return state.withLock { record in
            guard record.stages.count < OperationRecord.stagesMax, record.duration == 0 else { return nil }
            record.stages.append(.init(name: name, start: start, parent: parent))
            return record.stages.count - 1
        }
    }

    fileprivate func end(_ stage: Int) {
        let now = elapsed
        state.withLock { $0.stages[stage].duration = max(1, now - $0.stages[stage].start) }
    }

    /// Never 0: that means that it runs.
    private var elapsed: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return max(1, seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    }

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > OperationRecord.errorBytesMax else { return text }
        return String(decoding: text.utf8.prefix(OperationRecord.errorBytesMax), as: UTF8.self)
    }
}

/// Runs `body` as a stage of the operation under way in this task; without one it only runs it.
func stage<Result>(
    _ name: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
) async rethrows -> Result {
    guard let scope = OperationRecorder.scope, let index = scope.recorder.begin(name, in: scope.stage) else {
        return try await body()
    }
    defer { scope.recorder.end(index) }
    return try await OperationRecorder.$scope.withValue(.init(recorder: scope.recorder, stage: index)) {
        try await body()
    }
}
