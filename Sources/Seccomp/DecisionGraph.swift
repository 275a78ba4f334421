/// A filter as decisions: answers, and tests of a call's words that lead to one decision or another.
///
/// Equal decisions are one, so that what two calls or two architectures have in common is there, and written, once.
struct DecisionGraph {
    /// What a test looks at: 32 bits of struct seccomp_data, less those that a mask takes away.
    struct Word: Hashable {
        var offset: UInt32
        var mask: UInt32 = .max

        static let number = Word(offset: 0)
        static let architecture = Word(offset: 4)
    }

    struct Test: Hashable {
        var word: Word
        /// One of the compares among `BPFInstruction.Code`.
        var code: UInt16
        var value: UInt32

        func holds(_ word: UInt32) -> Bool { BPFInstruction(code: code, value: value).holds(word) }
    }

    enum Decision: Hashable {
        case answer(UInt32)
        case test(Test, ifTrue: Int, ifFalse: Int)
        /// Goes on as for the number without the bits that the mask lacks.
        case mask(UInt32, then: Int)
        /// Goes on with a word in the accumulator that nothing asks for.
        case load(DecisionGraph.Word, then: Int)
    }

    /// Steps that simplifying may take. A filter needs some hundreds; one that needs more stays longer than it could be.
    private static let stepsMax = 1 << 16

    private(set) var decisions: [Decision] = []
    private var known: [Decision: Int] = [:]
    private var steps = 0

    /// The place of a decision, a new one or that of its equal.
    mutating func keep(_ decision: Decision) -> Int {
        if let index = known[decision] { return index }
        decisions.append(decision)
        known[decision] = decisions.count - 1
        return decisions.count - 1
    }

    /// A test, without what its outcome makes idle in the decisions behind it.
    mutating func simplified(_ test: Test, ifTrue: Int, ifFalse: Int) -> Int {
        if let outcome = test.outcome(within: 0...test.word.mask) { return outcome ? ifTrue : ifFalse }
        let yes = assuming(test, true, ifTrue)
        let no = assuming(test, false, ifFalse)
        return yes == no ? yes : keep(.test(test, ifTrue: yes, ifFalse: no))
    }

    // MARK: - Private

    private mutating func assuming(_ test: Test, _ outcome: Bool, _ index: Int) -> Int {
        guard let values = test.values(outcome) else { return index }
        var seen: [Int: Int] = [:]
        return narrowed(index, test.word, values, &seen)
    }

    /// A decision where a word is known to have one of these values.
    private mutating func narrowed(
        _ index: Int, _ word: Word, _ values: ClosedRange<UInt32>, _ seen: inout [Int: Int]
    ) -> Int {
        guard case .test(let test, let yes, let no) = decisions[index], steps < Self.stepsMax else { return index }
        if let index = seen[index] { return index }
        steps += 1
        let result: Int
        if test.word == word, let outcome = test.outcome(within: values) {
            result = narrowed(outcome ? yes : no, word, values, &seen)
        } else {
            let ifTrue = narrowed(yes, word, values, &seen)
            let ifFalse = narrowed(no, word, values, &seen)
            result = ifTrue == ifFalse ? ifTrue : keep(.test(test, ifTrue: ifTrue, ifFalse: ifFalse))
        }
        seen[index] = result
        return result
    }
}

extension DecisionGraph.Test {
    /// How the test ends where the word is one of these, if that is certain.
    fileprivate func outcome(within values: ClosedRange<UInt32>) -> Bool? {
        switch code {
        case BPFInstruction.Code.equal where values.contains(value):
            return values.lowerBound == values.upperBound ? true : nil
        case BPFInstruction.Code.equal: return false
        case BPFInstruction.Code.anyBit: return nil
        default:
            // Both others are true from some value on.
            let (lowest, highest) = (holds(values.lowerBound), holds(values.upperBound))
            return lowest == highest ? lowest : nil
        }
    }

    /// What the word can be after the test, where that is one range. The test is one that can end either way.
    fileprivate func values(_ outcome: Bool) -> ClosedRange<UInt32>? {
        switch (code, outcome) {
        case (BPFInstruction.Code.equal, true): value...value
        case (BPFInstruction.Code.equal, false) where value == 0: 1...word.mask
        case (BPFInstruction.Code.equal, false) where value == word.mask: 0...value - 1
        case (BPFInstruction.Code.greater, true): value + 1...word.mask
        case (BPFInstruction.Code.greater, false): 0...value
        case (BPFInstruction.Code.atLeast, true): value...word.mask
        case (BPFInstruction.Code.atLeast, false): 0...value - 1
        default: nil
        }
    }
}
