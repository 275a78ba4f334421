import Lifecycle
import Model
import Testing

@Suite("Shared operation")
struct SharedOperationTests {
    @Test("a waiter that is cancelled stops waiting and the work goes on to its result")
    func cancelledWaiter() async throws {
        let gate = SharedOperation<Void>()
        let operation = SharedOperation<Int>.start {
            try await gate.value()
            return 7
        }
        let waiter = Task { try await operation.value() }
        waiter.cancel()
        await #expect(throws: Fault.self) { try await waiter.value }
        #expect(!operation.isFinished)
        gate.finish(.success(()))
        #expect(try await operation.value() == 7)
    }

    @Test("every waiter gets the first result, and later ones do not change it")
    func firstResultCounts() async throws {
        let operation = SharedOperation<Int>()
        let waiters = (0..<50).map { _ in Task { try await operation.value() } }
        operation.finish(.success(1))
        operation.finish(.success(2))
        for waiter in waiters { #expect(try await waiter.value == 1) }
        #expect(try await operation.value() == 1)
    }

    @Test("an error of the work reaches those who wait")
    func failure() async {
        let operation = SharedOperation<Int>.start { throw Fault.invalid("no") }
        await #expect(throws: Fault.invalid("no")) { try await operation.value() }
    }

    @Test("waiting for a time ends with the work, or without it")
    func bounded() async throws {
        let pending = SharedOperation<Int>()
        #expect(try await wait(for: pending, atMost: .milliseconds(1)) == false)
        pending.finish(.failure(Fault.invalid("ended all the same")))
        #expect(try await wait(for: pending, atMost: .seconds(60)))
    }
}
