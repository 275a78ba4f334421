/// Runs `body` as a stage of the operation under way in this task; without one it only runs it.
package func stage<Result>(
    _ name: StageName, about detail: @autoclosure () -> String = "", isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> Result
) async rethrows -> Result {
    guard let place = StagePlace.current, let open = place.begin(name, detail()) else { return try await body() }
    do {
        let result = try await OperationRecorder.$scope.withValue(open.scope) { try await body() }
        open.end()
        return result
    } catch {
        open.end(failed: true)
        throw error
    }
}

/// Where in an operation new stages go: taken along to where no task carries it, such as the thread that runs a plugin.
package struct StagePlace: Sendable {
    private let scope: OperationRecorder.Scope

    /// The place of this task; nil outside of every operation.
    package static var current: StagePlace? { OperationRecorder.scope.map(StagePlace.init) }

    private init(_ scope: OperationRecorder.Scope) { self.scope = scope }

    /// Nil when no more stages are kept.
    package func begin(_ name: StageName, _ detail: String = "") -> OpenStage? {
        scope.recorder.begin(name, detail, in: scope.stage).map { OpenStage(recorder: scope.recorder, index: $0) }
    }

    /// Says of the stage that this is the place of what it was about.
    package func describe(_ detail: String) {
        if let stage = scope.stage { scope.recorder.describe(stage, detail) }
    }
}

/// A stage that has begun.
package struct OpenStage: Sendable {
    fileprivate let recorder: OperationRecorder
    fileprivate let index: Int

    fileprivate var scope: OperationRecorder.Scope { .init(recorder: recorder, stage: index) }

    /// - Parameter detail: what it was about, where that is known at its end only.
    package func end(failed: Bool = false, detail: String = "") {
        if !detail.isEmpty { recorder.describe(index, detail) }
        recorder.end(index, failed: failed)
    }
}

/// "1 layer", "2 layers".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
