import TestKit
import Testing

/// Everything here runs against one node, one test after the other: each looks for what is left on the node after it.
@Suite(
    .serialized, .enabled(if: Node.canStart, "needs root, SWIFTLET_BIN and SWIFTLET_LAUNCH: make daemon-test"),
    OneNode())
struct WholeDaemon {}

/// Starts a node for a suite and ends it after the last test.
struct OneNode: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
    ) async throws {
        let node = try await Node.start()
        do {
            // What the first pod of a daemon's life makes for good is no leak of the tests' pods.
            try await node.pullAll()
            let first = try await node.runPod(try node.podConfig("first"))
            _ = try await first.run("true")
            try await first.remove()
            try await Node.$shared.withValue(node) { try await body() }
        } catch {
            try await node.stop()
            throw error
        }
        try await node.stop()
    }
}
