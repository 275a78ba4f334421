/// Writes a program from its end, since its jumps lead forward only: what is jumped to has its place already.
struct BPFWriter {
    /// Instructions from this one to the end of the program.
    struct Position: Hashable {
        fileprivate var fromEnd: Int
    }

    /// What a jump's own bytes can pass over.
    private static let nearMax = 255

    /// The last instruction first.
    private var reversed: [BPFInstruction] = []
    /// The last jump to a position that was too far away.
    private var jumps: [Position: Position] = [:]

    /// The program; it begins at the position that was made last.
    func program(from start: Position) -> [BPFInstruction] {
        precondition(start.fromEnd == reversed.count, "a program begins with its last position")
        return reversed.reversed()
    }

    mutating func answer(_ value: UInt32) -> Position { append(.answer(value)) }

    mutating func load(_ offset: UInt32, then next: Position) -> Position {
        follow(next)
        return append(.load(offset: offset))
    }

    mutating func and(_ mask: UInt32, then next: Position) -> Position {
        follow(next)
        return append(BPFInstruction(code: BPFInstruction.Code.and, value: mask))
    }

    mutating func compare(_ code: UInt16, _ value: UInt32, ifTrue: Position, ifFalse: Position) -> Position {
        // The second jump's instruction, if it needs one, moves the first target one further away.
        let no = near(ifFalse, room: Self.nearMax - 1)
        let yes = near(ifTrue, room: Self.nearMax)
        return append(
            BPFInstruction(
                code: code, jumpTrue: UInt8(reversed.count - yes.fromEnd),
                jumpFalse: UInt8(reversed.count - no.fromEnd),
                value: value))
    }

    // MARK: - Private

    private mutating func append(_ instruction: BPFInstruction) -> Position {
        reversed.append(instruction)
        return Position(fromEnd: reversed.count)
    }

    /// Makes the next instruction go on at a position.
    private mutating func follow(_ position: Position) {
        let distance = reversed.count - position.fromEnd
        if distance > 0 { reversed.append(.jump(UInt32(distance))) }
    }

    /// The position, or that of a jump to it where it is too far away for a compare.
    private mutating func near(_ position: Position, room: Int) -> Position {
        if reversed.count - position.fromEnd <= room { return position }
        if let jump = jumps[position], reversed.count - jump.fromEnd <= room { return jump }
        let jump = append(.jump(UInt32(reversed.count - position.fromEnd)))
        jumps[position] = jump
        return jump
    }
}
