import Glibc
import Synchronization
import Testing

@testable import Linux

/// A gate that blocks threads until it is opened.
private final class Gate: Sendable {
    private let isOpen = Atomic(false)
    private let arrived = Atomic(false)

    func pass() {
        arrived.store(true, ordering: .releasing)
        while !isOpen.load(ordering: .acquiring) {}
    }

    func release() { isOpen.store(true, ordering: .releasing) }
    func waitForArrival() async { while !arrived.load(ordering: .acquiring) { await Task.yield() } }
}

private final class Gauge: Sendable {
    private let now = Atomic(0)
    private let most = Mutex(0)

    func enter() {
        let count = now.add(1, ordering: .relaxed).newValue
        most.withLock { $0 = max($0, count) }
    }

    func leave() { now.subtract(1, ordering: .relaxed) }
    var peak: Int { most.withLock { $0 } }
}

@Suite("BlockingPool")
struct BlockingPoolTests {
    @Test("the result and the error of the work reach the caller")
    func resultAndError() async throws {
        struct Refused: Error, Equatable {}
        let pool = BlockingPool(name: "test", threadsMax: 2)
        #expect(try await pool.run { 6 * 7 } == 42)
        await #expect(throws: Refused.self) { try await pool.run { throw Refused() } }
    }

    @Test("work runs on at most as many threads as were allowed, and all of it runs")
    func bounded() async throws {
        let pool = BlockingPool(name: "test", threadsMax: 3)
        let gauge = Gauge()
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...500 {
                group.addTask {
                    try await pool.run {
                        gauge.enter()
                        gauge.leave()
                        return number
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 125_250)
        #expect((1...3).contains(gauge.peak))
        #expect(pool.threadCount <= 3)
    }

    @Test("blocked threads do not hold up the callers, and work beyond the bound is refused")
    func refusal() async throws {
        let pool = BlockingPool(name: "test", threadsMax: 1, waitingMax: 2)
        let gate = Gate()
        let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await pool.run {
                    gate.pass()
                    return true
                }
            }
            await gate.waitForArrival()
            for _ in 0..<5 {
                group.addTask {
                    do {
                        return try await pool.run { true }
                    } catch BlockingPoolError.tooMuchWaiting(pool: "test", bound: 2) {
                        return false
                    }
                }
            }
            var outcomes: [Bool] = []
            for _ in 0..<3 { outcomes.append(try await group.next() ?? true) }
            #expect(outcomes == [false, false, false])
            gate.release()
            for try await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        #expect(outcomes == [false, false, false, true, true, true])
    }

    @Test("a task that prefers the pool runs on its threads, and its blocking work runs at once where it is")
    func executor() async throws {
        let pool = BlockingPool(name: "test", threadsMax: 2)
        let threads = await Task(executorPreference: pool) { () -> [UInt] in
            let outside = UInt(pthread_self())
            let first = try? await pool.run { UInt(pthread_self()) }
            let second = try? await pool.run { UInt(pthread_self()) }
            return [outside, first ?? 0, second ?? 0]
        }.value
        #expect(Set(threads).count == 1)
    }

    @Test("work that blocks a thread does not hold up the task that waits for that thread")
    func deferredJobs() async throws {
        let pool = BlockingPool(name: "test", threadsMax: 2)
        let gate = Gate()
        let order = await Task(executorPreference: pool) { () -> [String] in
            // Waits for this thread first, for it was started from here.
            let other = Task(executorPreference: pool) { gate.release() }
            let passed: Void? = try? await pool.run { gate.pass() }
            await other.value
            return [passed == nil ? "failed" : "passed"]
        }.value
        #expect(order == ["passed"])
    }

    @Test("as many tasks as there are, all of them run and end, with fewer threads")
    func manyJobs() async throws {
        let pool = BlockingPool(name: "test", threadsMax: 3, waitingMax: 1)
        let gauge = Gauge()
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 1...300 {
                group.addTask(executorPreference: pool) {
                    gauge.enter()
                    gauge.leave()
                    await Task.yield()
                    return (try? await pool.run { number }) ?? 0
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 45_150)
        #expect(gauge.peak <= 3)
    }
}
