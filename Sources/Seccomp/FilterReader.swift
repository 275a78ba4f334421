/// Runs a filter with number and architecture known, and the arguments not.
struct FilterReader {
    /// The program does something that is not understood here.
    struct NotUnderstood: Error {}

    /// What the accumulator holds.
    private enum Accumulator: Hashable {
        case nothing, number, architecture
        /// Known only when the call is made.
        case argument(DecisionGraph.Word)

        static func loaded(_ offset: UInt32) -> Accumulator {
            switch DecisionGraph.Word(offset: offset) {
            case .number: .number
            case .architecture: .architecture
            case let word: .argument(word)
            }
        }
    }

    private struct Place: Hashable {
        var index: Int
        var accumulator: Accumulator
    }

    /// Checks of arguments that may follow each other: each is a call within the last, on a stack of 512 KiB.
    private static let depthMax = 256

    private let program: [BPFInstruction]
    /// The decision from each place on, for the number that is run: checks of arguments meet again, so that their paths are
    /// many more than their places.
    private var reached: [Place: Int] = [:]
    private var depth = 0

    init(_ program: [BPFInstruction]) { self.program = program }

    /// The constants that architectures and numbers are compared with anywhere.
    func constants() throws(NotUnderstood) -> (architectures: Set<UInt32>, numbers: Set<UInt32>) {
        var (architectures, numbers): (Set<UInt32>, Set<UInt32>) = ([], [])
        var seen: Set<Place> = []
        var waiting = [Place(index: 0, accumulator: .nothing)]
        while let place = waiting.popLast() {
            guard seen.insert(place).inserted else { continue }
            let instruction = try instruction(place.index)
            let next = place.index + 1
            switch instruction.code {
            case BPFInstruction.Code.answer: continue
            case BPFInstruction.Code.load, BPFInstruction.Code.and, BPFInstruction.Code.jump:
                waiting.append(try followed(place, instruction))
            case BPFInstruction.Code.equal, BPFInstruction.Code.greater, BPFInstruction.Code.atLeast,
                BPFInstruction.Code.anyBit:
                switch (place.accumulator, instruction.code) {
                case (.argument, _): break
                // One architecture that is not named stands for all such.
                case (.architecture, BPFInstruction.Code.equal): architectures.insert(instruction.value)
                case (.number, BPFInstruction.Code.equal), (.number, BPFInstruction.Code.greater),
                    (.number, BPFInstruction.Code.atLeast):
                    numbers.insert(instruction.value)
                default: throw NotUnderstood()
                }
                for distance in [instruction.jumpTrue, instruction.jumpFalse] {
                    waiting.append(Place(index: next + Int(distance), accumulator: place.accumulator))
                }
            default: throw NotUnderstood()
            }
        }
        return (architectures, numbers)
    }

    /// What a call of this number leads to.
    mutating func decision(
        number: UInt32, architecture: UInt32, in graph: inout DecisionGraph
    ) throws(NotUnderstood) -> Int {
        reached.removeAll(keepingCapacity: true)
        return try decision(Place(index: 0, accumulator: .nothing), number, architecture, &graph)
    }

    // MARK: - Private

    private func instruction(_ index: Int) throws(NotUnderstood) -> BPFInstruction {
        guard program.indices.contains(index) else { throw NotUnderstood() }
        return program[index]
    }

    /// The place behind an instruction that is no answer and no compare.
    private func followed(_ place: Place, _ instruction: BPFInstruction) throws(NotUnderstood) -> Place {
        let next = place.index + 1
        switch (instruction.code, place.accumulator) {
        case (BPFInstruction.Code.jump, let accumulator):
            return Place(index: next + Int(instruction.value), accumulator: accumulator)
        case (BPFInstruction.Code.load, _):
            return Place(index: next, accumulator: .loaded(instruction.value))
        case (BPFInstruction.Code.and, .argument(var word)):
            word.mask &= instruction.value
            return Place(index: next, accumulator: .argument(word))
        default: throw NotUnderstood()
        }
    }

    private mutating func decision(
        _ start: Place, _ number: UInt32, _ architecture: UInt32, _ graph: inout DecisionGraph
    ) throws(NotUnderstood) -> Int {
        if let index = reached[start] { return index }
        guard depth < Self.depthMax else { throw NotUnderstood() }
        depth += 1
        defer { depth -= 1 }
        let index = try run(from: start, number, architecture, &graph)
        reached[start] = index
        return index
    }

    /// Jumps go forward only, so that this ends.
    private mutating func run(
        from start: Place, _ number: UInt32, _ architecture: UInt32, _ graph: inout DecisionGraph
    ) throws(NotUnderstood) -> Int {
        var place = start
        while true {
            let instruction = try instruction(place.index)
            let next = place.index + 1
            let (ifTrue, ifFalse) = (next + Int(instruction.jumpTrue), next + Int(instruction.jumpFalse))
            switch (instruction.code, place.accumulator) {
            case (BPFInstruction.Code.answer, _): return graph.keep(.answer(instruction.value))
            case (BPFInstruction.Code.jump, _), (BPFInstruction.Code.load, _), (BPFInstruction.Code.and, _):
                place = try followed(place, instruction)
            case (_, .nothing): throw NotUnderstood()
            case (_, .number): place.index = instruction.holds(number) ? ifTrue : ifFalse
            case (_, .architecture): place.index = instruction.holds(architecture) ? ifTrue : ifFalse
            case (_, .argument(let word)):
                let test = DecisionGraph.Test(word: word, code: instruction.code, value: instruction.value)
                let yes = try decision(
                    Place(index: ifTrue, accumulator: place.accumulator), number, architecture, &graph)
                let no = try decision(
                    Place(index: ifFalse, accumulator: place.accumulator), number, architecture, &graph)
                return graph.simplified(test, ifTrue: yes, ifFalse: no)
            }
        }
    }
}

extension BPFInstruction {
    /// Whether a compare finds this word so.
    func holds(_ word: UInt32) -> Bool {
        switch code {
        case Code.equal: word == value
        case Code.greater: word > value
        case Code.atLeast: word >= value
        default: word & value != 0
        }
    }
}
