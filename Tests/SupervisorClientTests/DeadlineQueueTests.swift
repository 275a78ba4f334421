@testable import SupervisorClient
import TestKit
import Testing

@Suite struct DeadlineQueueTests {
    @Test func itGivesOutWhatASortedListWould() {
        var random = SeededGenerator.announced("deadline queue")
        let start = ContinuousClock.now
        var queue = DeadlineQueue<Int>()
        var model: [(due: ContinuousClock.Instant, id: UInt64, value: Int)] = []
        for round in 0..<5_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let due = start + .milliseconds(Int.random(in: 0..<2_000, using: &random))
                let earliest = model.map(\.due).min()
                let (id, isEarliest) = queue.add(due: due, round)
                #expect(isEarliest == (earliest.map { due < $0 } ?? true))
                model.append((due, id, round))
            case 2:
                guard !model.isEmpty else { continue }
                let index = Int.random(in: 0..<model.count, using: &random)
                queue.cancel(model[index].id)
                model.remove(at: index)
            default:
                let now = start + .milliseconds(Int.random(in: 0..<2_000, using: &random))
                let due = model.filter { $0.due <= now }
                #expect(Set(queue.takeDue(at: now)) == Set(due.map(\.value)))
                model.removeAll { $0.due <= now }
            }
            #expect(queue.count == model.count)
            #expect(queue.earliest == model.map(\.due).min())
        }
        let rest = queue.takeDue(at: start + .seconds(10))
        #expect(rest.count == model.count)
        let dues = rest.compactMap { value in model.first { $0.value == value }?.due }
        #expect(dues == dues.sorted())
    }
}
