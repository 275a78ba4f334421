/// Undo actions of one test, run last-in first-out whatever happened; each may find its work done already.
package final class FixtureStack {
    private var undos: [(name: String, run: () async throws -> Void)] = []

    package init() {}

    /// Registers what takes back the step that was just done.
    package func undo(_ name: String, _ run: @escaping () async throws -> Void) { undos.append((name, run)) }

    /// Runs all of them; what failed is told together.
    package func unwind() async throws {
        var failures: [String] = []
        while let undo = undos.popLast() {
            do { try await undo.run() } catch { failures.append("undo \(undo.name): \(error)") }
        }
        if !failures.isEmpty { throw TestFailure(failures.joined(separator: "\n")) }
    }
}

/// Runs a test body with a stack of its own and unwinds it; the body's error wins over an undo's.
package func withFixtures<T>(
    isolation: isolated (any Actor)? = #isolation, _ body: (FixtureStack) async throws -> T
) async throws -> T {
    let stack = FixtureStack()
    let result: T
    do { result = try await body(stack) } catch {
        do { try await stack.unwind() } catch let undo { print(undo) }
        throw error
    }
    try await stack.unwind()
    return result
}
