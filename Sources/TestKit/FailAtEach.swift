import Synchronization

/// Counts the operations of one run and fails one of them.
package final class FailurePoint: Sendable {
    /// What the chosen operation throws.
    package struct Planned: Error, Equatable, CustomStringConvertible {
        package let index: Int
        package let operation: String
        package var description: String { "planned failure \(index) at \(operation)" }
    }

    private let target: Int
    private let state = Mutex((count: 0, hit: String?.none))

    package init(failing target: Int) { self.target = target }

    /// Called before each operation that may fail.
    package func pass(_ operation: String) throws(Planned) {
        let hit = state.withLock { state in
            state.count += 1
            if state.count == target { state.hit = operation }
            return state.count == target
        }
        if hit { throw Planned(index: target, operation: operation) }
    }

    /// Name of the operation that failed, if the run came so far.
    package var hit: String? { state.withLock { $0.hit } }
}

/// Runs `body` again and again, failing its first, second, third... operation, until a run passes without reaching it.
///
/// The body has to check its own end state. Returns the number of failures planted.
@discardableResult
package func failAtEach(
    limit: Int = 1_000, isolation: isolated (any Actor)? = #isolation, _ body: (FailurePoint) async throws -> Void
) async throws -> Int {
    for k in 1...limit {
        let point = FailurePoint(failing: k)
        do { try await body(point) } catch let planned as FailurePoint.Planned where planned.index == k {
            continue
        }
        if point.hit == nil { return k - 1 }
    }
    throw TestFailure("more than \(limit) operations in one run")
}
