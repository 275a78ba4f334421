/// A decision tree over ranges of numbers that costs the kernel least.
///
/// The kernel takes a filter in at each start of a process: every instruction is checked, converted and compiled, some of it in
/// several passes, and since 5.11 the filter is run once for each number of the tables, to find what it always allows
/// (seccomp_cache_prepare). So instructions are counted, and steps of each number. A border between two ranges costs one
/// instruction; a number by itself within another range costs one too, where it is compared with by itself.
struct NumberSearch {
    /// Numbers from one start to the next, and what they lead to.
    struct Range: Equatable {
        var start: UInt32
        var decision: Int
    }

    /// Costs in steps of one number, as measured on Linux 6.18: an instruction 64, the second jump of a compare, which the
    /// kernel's own instructions lack, 32.
    private static let instructionCost = 64, jumpCost = 32
    /// Tables of calls end below it.
    private static let tableEnd: UInt32 = 512
    /// Ranges that the best tree is looked for among; more are halved first. The work grows with its third power.
    private static let rangesMax = 64

    private let ranges: [Range]
    /// Of each range its own and all before it: numbers of the tables, at least 1.
    private var weights = [0]

    /// The tree's root, whose decisions are kept in the graph. `isCached`: the kernel runs the filter for each number.
    static func root(of ranges: [Range], isCached: Bool, in graph: inout DecisionGraph) -> Int {
        let search = NumberSearch(ranges, tableEnd: isCached ? tableEnd : 0)
        return search.halved(0..<ranges.count, &graph)
    }

    private init(_ ranges: [Range], tableEnd: UInt32) {
        self.ranges = ranges
        for index in ranges.indices {
            let end = index + 1 < ranges.count ? ranges[index + 1].start : .max
            let numbers = min(end, tableEnd) - min(ranges[index].start, tableEnd)
            weights.append(weights[index] + max(1, Int(numbers)))
        }
    }

    private func weight(_ part: Swift.Range<Int>) -> Int { weights[part.upperBound] - weights[part.lowerBound] }

    private func isOneNumber(_ index: Int) -> Bool {
        index + 1 < ranges.count && ranges[index + 1].start - ranges[index].start == 1
    }

    /// Halves by weight until the best tree can be looked for.
    private func halved(_ part: Swift.Range<Int>, _ graph: inout DecisionGraph) -> Int {
        guard part.count > Self.rangesMax else { return BestTree(part, self).root(in: &graph) }
        let half = weights[part.lowerBound] + weight(part) / 2
        let middle = part.dropFirst().first { weights[$0] >= half } ?? part.upperBound - 1
        let upper = halved(middle..<part.upperBound, &graph)
        let lower = halved(part.lowerBound..<middle, &graph)
        return split(at: middle, lower, upper, &graph)
    }

    private func split(at border: Int, _ lower: Int, _ upper: Int, _ graph: inout DecisionGraph) -> Int {
        let test = DecisionGraph.Test(word: .number, code: BPFInstruction.Code.atLeast, value: ranges[border].start)
        return graph.keep(.test(test, ifTrue: upper, ifFalse: lower))
    }

    /// The cheapest trees over all runs of neighbours, shorter ones first.
    private struct BestTree {
        private enum Shape {
            /// One decision, but for numbers by themselves that are compared with one after the other.
            case alike
            case split(Int)
        }

        private let search: NumberSearch
        private let part: Swift.Range<Int>
        private var costs: [Int]
        private var shapes: [Shape]

        init(_ part: Swift.Range<Int>, _ search: NumberSearch) {
            self.search = search
            self.part = part
            costs = [Int](repeating: 0, count: (part.count + 1) * (part.count + 1))
            shapes = [Shape](repeating: .alike, count: costs.count)
            for lower in part.reversed() { extend(from: lower) }
        }

        func root(in graph: inout DecisionGraph) -> Int { root(part, &graph) }

        private func place(_ lower: Int, _ upper: Int) -> Int {
            (lower - part.lowerBound) * (part.count + 1) + upper - part.lowerBound
        }

        /// All runs that begin with a range; those that begin later are known.
        private mutating func extend(from lower: Int) {
            var others: Int? = 0
            for upper in lower + 1..<part.upperBound + 1 {
                let last = search.ranges[upper - 1]
                let isAlike = last.decision == search.ranges[lower].decision
                if !isAlike { others = search.isOneNumber(upper - 1) ? others.map { $0 + 1 } : nil }
                guard upper > lower + 1 else { continue }
                let step = NumberSearch.instructionCost + search.weight(lower..<upper)
                var (cost, shape) = (Int.max, Shape.alike)
                if isAlike, let others { cost = NumberSearch.jumpCost + others * step }
                for middle in lower + 1..<upper {
                    let sum = costs[place(lower, middle)] + costs[place(middle, upper)]
                    if sum + step < cost { (cost, shape) = (sum + step, .split(middle)) }
                }
                if upper == lower + 2 { cost += NumberSearch.jumpCost }
                costs[place(lower, upper)] = cost
                shapes[place(lower, upper)] = shape
            }
        }

        private func root(_ run: Swift.Range<Int>, _ graph: inout DecisionGraph) -> Int {
            switch shapes[place(run.lowerBound, run.upperBound)] {
            case .split(let middle):
                let upper = root(middle..<run.upperBound, &graph)
                let lower = root(run.lowerBound..<middle, &graph)
                return search.split(at: middle, lower, upper, &graph)
            case .alike:
                let common = search.ranges[run.lowerBound].decision
                return run.reversed().reduce(common) { next, index in
                    let range = search.ranges[index]
                    guard range.decision != common else { return next }
                    let test = DecisionGraph.Test(
                        word: .number, code: BPFInstruction.Code.equal, value: range.start)
                    return graph.keep(.test(test, ifTrue: range.decision, ifFalse: next))
                }
            }
        }
    }
}
