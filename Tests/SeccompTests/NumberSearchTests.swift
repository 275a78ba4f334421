import TestKit
import Testing

@testable import Seccomp

/// The tree finds the range that a number is in.
@Suite struct NumberSearchTests {
    @Test("every number leads where its range does", arguments: [1, 2, 3, 17, 64, 65, 200, 500], [true, false])
    func finds(count: Int, isCached: Bool) throws {
        var random = SeededGenerator.announced("search \(count) ranges")
        var graph = DecisionGraph()
        let answers = (0..<3).map { graph.keep(.answer($0)) }
        var ranges = [NumberSearch.Range(start: 0, decision: answers[0])]
        while ranges.count < count {
            let last = ranges[ranges.count - 1]
            let width = UInt32.random(in: 0..<3, using: &random) == 0 ? UInt32.random(in: 1..<90, using: &random) : 1
            let others = answers.filter { $0 != last.decision }
            ranges.append(.init(start: last.start + width, decision: others.randomElement(using: &random) ?? 0))
        }
        let root = NumberSearch.root(of: ranges, isCached: isCached, in: &graph)
        for (index, range) in ranges.enumerated() {
            let end = index + 1 < ranges.count ? ranges[index + 1].start - 1 : .max
            for number in [range.start, range.start + (end - range.start) / 2, end] {
                #expect(found(number, root, graph) == range.decision, "\(number) of \(ranges)")
            }
        }
    }

    private func found(_ number: UInt32, _ root: Int, _ graph: DecisionGraph) -> Int {
        var index = root
        while case .test(let test, let yes, let no) = graph.decisions[index] { index = test.holds(number) ? yes : no }
        return index
    }

    @Test("what is asked for often is found sooner")
    func weighted() {
        var graph = DecisionGraph()
        let answers = (0..<2).map { graph.keep(.answer($0)) }
        // One wide range at the beginning, then narrow ones, none a number by itself.
        let starts = [0] + (0..<15).map { 400 + 2 * UInt32($0) }
        let ranges = starts.enumerated().map { NumberSearch.Range(start: $1, decision: answers[$0 % 2]) }
        let root = NumberSearch.root(of: ranges, isCached: true, in: &graph)
        var (index, steps) = (root, 0)
        while case .test(let test, let yes, let no) = graph.decisions[index] {
            index = test.holds(3) ? yes : no
            steps += 1
        }
        #expect(steps == 1)
    }
}
