/// Makes a filter small that answers every call just as before.
///
/// libseccomp compares with each system call by itself. Here the program is run for every range of numbers that it can tell
/// apart, which leaves an answer, or a check of arguments, for each; neighbours that are alike become one range, and a search
/// tree finds it (`NumberSearch`). The kernel compiles a filter anew at each start of a process (bpf_prepare_filter), so that a
/// small one saves a good part of what a start costs.
struct FilterCompaction {
    private typealias Range = NumberSearch.Range

    /// One architecture's calls, those of x32 by themselves.
    private struct Table {
        var architecture: UInt32
        var low: [Range]
        /// From bit 30 on.
        var high: [Range]

        var isNative: Bool { architecture == SeccompArchitecture.native.auditValue }
    }

    /// x32 shares the architecture of x86_64 and is told by bit 30 of the number.
    private static let x32Bit: UInt32 = 0x4000_0000

    private var graph = DecisionGraph()

    /// The same filter in fewer instructions, or the given one where that cannot be had.
    static func compacted(_ program: [BPFInstruction]) -> [BPFInstruction] {
        var compaction = FilterCompaction()
        do throws(FilterReader.NotUnderstood) {
            let small = try compaction.small(program)
            return small.count < program.count ? small : program
        } catch {
            return program
        }
    }

    private mutating func small(_ program: [BPFInstruction]) throws(FilterReader.NotUnderstood) -> [BPFInstruction] {
        var reader = FilterReader(program)
        let (architectures, numbers) = try reader.constants()
        // Every number from one start to the next is told from none in between.
        let starts = Set([0, Self.x32Bit] + numbers.flatMap { $0 == .max ? [$0] : [$0, $0 + 1] }).sorted()
        var other: UInt32 = 0
        while architectures.contains(other) { other += 1 }
        let foreign = try table(of: other, starts, &reader)
        var named: [Table] = []
        for architecture in architectures.sorted() { named.append(try table(of: architecture, starts, &reader)) }
        let common = Self.commonEnd(named.map(\.low))
        var next = root(foreign, [])
        for table in named {
            let test = DecisionGraph.Test(
                word: .architecture, code: BPFInstruction.Code.equal, value: table.architecture)
            next = graph.keep(.test(test, ifTrue: uncached(table, root(table, common)), ifFalse: next))
        }
        return DecisionWriter.program(of: graph, from: next)
    }

    // MARK: - Private

    private mutating func table(
        of architecture: UInt32, _ starts: [UInt32], _ reader: inout FilterReader
    ) throws(FilterReader.NotUnderstood) -> Table {
        var ranges: [Range] = []
        for start in starts {
            let decision = try reader.decision(number: start, architecture: architecture, in: &graph)
            ranges.append(Range(start: start, decision: decision))
        }
        return Table(
            architecture: architecture, low: Self.merged(ranges.filter { $0.start < Self.x32Bit }),
            high: Self.merged(ranges.filter { $0.start >= Self.x32Bit }))
    }

    /// Neighbours that lead to the same are one.
    private static func merged(_ ranges: [Range]) -> [Range] {
        var merged: [Range] = []
        for range in ranges where merged.last?.decision != range.decision { merged.append(range) }
        return merged
    }

    /// What the tables have in common at their ends: newer calls have one number everywhere.
    private static func commonEnd(_ tables: [[Range]]) -> [Range] {
        guard tables.count > 1 else { return [] }
        return tables.dropFirst().reduce(tables[0]) { end, table in
            end.suffix(zip(end.reversed(), table.reversed()).prefix { $0 == $1 }.count)
        }
    }

    /// The tree of a table, in which the end that all have in common is one and the same.
    private mutating func root(_ table: Table, _ commonEnd: [Range]) -> Int {
        var low = table.low
        if let start = commonEnd.first?.start {
            let common = Range(start: start, decision: NumberSearch.root(of: commonEnd, isCached: true, in: &graph))
            low = low.dropLast(commonEnd.count) + [common]
        }
        let lower = NumberSearch.root(of: low, isCached: table.isNative, in: &graph)
        if table.high.count == 1 && table.high[0].decision == table.low.last?.decision { return lower }
        let upper = NumberSearch.root(of: sharing(table, lower), isCached: false, in: &graph)
        let test = DecisionGraph.Test(word: .number, code: BPFInstruction.Code.atLeast, value: Self.x32Bit)
        return graph.keep(.test(test, ifTrue: upper, ifFalse: lower))
    }

    /// Most of x32's calls are those of x86_64: the ranges that are not, and the tree of the low numbers for all others.
    private mutating func sharing(_ table: Table, _ lower: Int) -> [Range] {
        let (low, high) = (table.low, table.high)
        guard low.count > 1 else { return high }
        let shared = graph.keep(.mask(~Self.x32Bit, then: lower))
        return Self.merged(
            high.indices.map { index in
                let last = index + 1 < high.count ? high[index + 1].start - 1 : .max
                // With bit 31 a number is, less bit 30 too, above all that the tree compares with.
                let isBelow = (high[index].start < 2 * Self.x32Bit, last < 2 * Self.x32Bit)
                let from = isBelow.0 ? high[index].start & ~Self.x32Bit : .max
                let to = isBelow.1 ? last & ~Self.x32Bit : .max
                let place = low.lastIndex { $0.start <= from } ?? 0
                let isSame =
                    low[place].decision == high[index].decision
                    && (place + 1 == low.count || low[place + 1].start > to)
                return isSame ? Range(start: high[index].start, decision: shared) : high[index]
            })
    }

    /// Other architectures than the native one are kept out of the kernel's cache of allowed calls.
    ///
    /// To fill it, the kernel runs the filter for each of their numbers at each start of a process, and nearly no process makes
    /// a call of theirs. A load of an argument ends that at once (seccomp_is_const_allow); the filter itself decides those calls.
    private mutating func uncached(_ table: Table, _ root: Int) -> Int {
        let isSearched = table.low.count > 1 && !table.isNative
        return isSearched ? graph.keep(.load(DecisionGraph.Word(offset: 16), then: root)) : root
    }
}
