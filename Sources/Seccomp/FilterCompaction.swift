/// Makes a filter small that answers every call just as before.
///
/// libseccomp compares with each system call by itself. Here the program is run for every range of numbers that it can tell
/// apart, which leaves an answer, or a check of arguments, for each; neighbours that are alike become one range, and a binary
/// search finds it. The kernel compiles a filter anew at each start of a process (bpf_prepare_filter), so that a small one
/// saves a good part of what a start costs.
struct FilterCompaction {
    /// Compares whose constants divide numbers into ranges.
    private static let equal: UInt16 = 0x15, greater: UInt16 = 0x25, atLeast: UInt16 = 0x35, anyBit: UInt16 = 0x45
    private static let load: UInt16 = 0x20, jump: UInt16 = 0x05, answer: UInt16 = 0x06, and: UInt16 = 0x54
    private static let numberOffset: UInt32 = 0, architectureOffset: UInt32 = 4

    /// The program does something that is not understood here; it stays as it is.
    private struct NotUnderstood: Error {}

    /// What is left of a program when number and architecture are known.
    private indirect enum Rest: Hashable {
        case answer(UInt32)
        case load(offset: UInt32, then: Int)
        case and(UInt32, then: Int)
        case compare(code: UInt16, UInt32, ifTrue: Int, ifFalse: Int)
    }

    /// What the accumulator holds.
    private enum Accumulator: Hashable {
        case nothing, number, architecture
        /// Known only when the call is made.
        case argument
    }

    private struct Place: Hashable {
        var index: Int
        var accumulator: Accumulator
    }

    private let program: [BPFInstruction]
    private var rests: [Rest] = []
    private var known: [Rest: Int] = [:]
    /// What is left from each place, for the number that is run: checks of arguments meet again, so that their paths are
    /// many more than their places.
    private var reached: [Place: Int] = [:]

    private init(_ program: [BPFInstruction]) { self.program = program }

    /// The same filter in fewer instructions, or the given one where that cannot be had.
    static func compacted(_ program: [BPFInstruction]) -> [BPFInstruction] {
        var compaction = FilterCompaction(program)
        do throws(NotUnderstood) {
            let small = try compaction.small()
            return small.count < program.count ? small : program
        } catch {
            return program
        }
    }

    private mutating func small() throws(NotUnderstood) -> [BPFInstruction] {
        let (architectures, numbers) = try constants()
        // Every number from one start to the next is told from none in between.
        let starts = Set([0] + numbers.flatMap { $0 == .max ? [$0] : [$0, $0 + 1] }).sorted()
        var other: UInt32 = 0
        while architectures.contains(other) { other += 1 }
        var writer = BPFWriter()
        // First all ranges, then all writing, which uses what they have kept.
        let others = try ranges(of: other, starts)
        var named: [(architecture: UInt32, ranges: [(start: UInt32, rest: Int)])] = []
        for architecture in architectures.sorted() {
            named.append((architecture, try ranges(of: architecture, starts)))
        }
        var next = write(others, &writer)
        for (architecture, ranges) in named {
            let own = write(ranges, &writer)
            next = writer.compare(Self.equal, architecture, ifTrue: own, ifFalse: next)
        }
        let start = writer.load(Self.architectureOffset, then: next)
        return writer.program(from: start)
    }

    /// The constants that architectures and numbers are compared with anywhere.
    private func constants() throws(NotUnderstood) -> (architectures: Set<UInt32>, numbers: Set<UInt32>) {
        var (architectures, numbers): (Set<UInt32>, Set<UInt32>) = ([], [])
        var seen: Set<Place> = []
        var waiting = [Place(index: 0, accumulator: .nothing)]
        while let place = waiting.popLast() {
            guard seen.insert(place).inserted else { continue }
            let instruction = try instruction(place.index)
            switch instruction.code {
            case Self.answer: continue
            case Self.load:
                waiting.append(Place(index: place.index + 1, accumulator: Self.loaded(instruction.value)))
            case Self.jump:
                waiting.append(Place(index: place.index + 1 + Int(instruction.value), accumulator: place.accumulator))
            case Self.and where place.accumulator == .argument:
                waiting.append(Place(index: place.index + 1, accumulator: .argument))
            case Self.equal, Self.greater, Self.atLeast, Self.anyBit:
                switch (place.accumulator, instruction.code) {
                case (.argument, _): break
                // One architecture that is not named stands for all such.
                case (.architecture, Self.equal): architectures.insert(instruction.value)
                case (.number, Self.equal), (.number, Self.greater), (.number, Self.atLeast):
                    numbers.insert(instruction.value)
                default: throw NotUnderstood()
                }
                for distance in [instruction.jumpTrue, instruction.jumpFalse] {
                    waiting.append(Place(index: place.index + 1 + Int(distance), accumulator: place.accumulator))
                }
            default: throw NotUnderstood()
            }
        }
        return (architectures, numbers)
    }

    private func instruction(_ index: Int) throws(NotUnderstood) -> BPFInstruction {
        guard program.indices.contains(index) else { throw NotUnderstood() }
        return program[index]
    }

    private static func loaded(_ offset: UInt32) -> Accumulator {
        offset == numberOffset ? .number : offset == architectureOffset ? .architecture : .argument
    }

    private static func holds(_ code: UInt16, _ value: UInt32, _ constant: UInt32) -> Bool {
        switch code {
        case equal: value == constant
        case greater: value > constant
        case atLeast: value >= constant
        default: value & constant != 0
        }
    }

    // MARK: Running with a known number

    /// What is left for each range of numbers, neighbours being different.
    private mutating func ranges(
        of architecture: UInt32, _ starts: [UInt32]
    ) throws(NotUnderstood) -> [(start: UInt32, rest: Int)] {
        var ranges: [(start: UInt32, rest: Int)] = []
        for start in starts {
            reached.removeAll(keepingCapacity: true)
            let rest = try rest(Place(index: 0, accumulator: .nothing), start, architecture)
            if ranges.last?.rest != rest { ranges.append((start, rest)) }
        }
        return ranges
    }

    /// What is left from a place on.
    private mutating func rest(
        _ start: Place, _ number: UInt32, _ architecture: UInt32
    ) throws(NotUnderstood) -> Int {
        if let index = reached[start] { return index }
        let index = try run(from: start, number, architecture)
        reached[start] = index
        return index
    }

    /// Jumps go forward only, so that this ends.
    private mutating func run(
        from start: Place, _ number: UInt32, _ architecture: UInt32
    ) throws(NotUnderstood) -> Int {
        var place = start
        while true {
            let instruction = try instruction(place.index)
            let next = place.index + 1
            switch instruction.code {
            case Self.answer: return keep(.answer(instruction.value))
            case Self.jump: place.index = next + Int(instruction.value)
            case Self.load:
                place = Place(index: next, accumulator: Self.loaded(instruction.value))
                guard place.accumulator == .argument else { continue }
                return keep(.load(offset: instruction.value, then: try rest(place, number, architecture)))
            case Self.and:
                place.index = next
                return keep(.and(instruction.value, then: try rest(place, number, architecture)))
            default:
                let (ifTrue, ifFalse) = (next + Int(instruction.jumpTrue), next + Int(instruction.jumpFalse))
                switch place.accumulator {
                case .nothing: throw NotUnderstood()
                case .number:
                    place.index = Self.holds(instruction.code, number, instruction.value) ? ifTrue : ifFalse
                case .architecture:
                    place.index = Self.holds(instruction.code, architecture, instruction.value) ? ifTrue : ifFalse
                case .argument:
                    let yes = try rest(Place(index: ifTrue, accumulator: .argument), number, architecture)
                    let no = try rest(Place(index: ifFalse, accumulator: .argument), number, architecture)
                    return yes == no
                        ? yes : keep(.compare(code: instruction.code, instruction.value, ifTrue: yes, ifFalse: no))
                }
            }
        }
    }

    /// Equal rests have one number.
    private mutating func keep(_ rest: Rest) -> Int {
        if let index = known[rest] { return index }
        rests.append(rest)
        known[rest] = rests.count - 1
        return rests.count - 1
    }

    // MARK: Writing

    /// The search among an architecture's ranges, and where it begins.
    private func write(_ ranges: [(start: UInt32, rest: Int)], _ writer: inout BPFWriter) -> BPFWriter.Position {
        var placed: [Int: BPFWriter.Position] = [:]
        let search = search(ranges[...], &placed, &writer)
        return ranges.count == 1 ? search : writer.load(Self.numberOffset, then: search)
    }

    private func search(
        _ ranges: ArraySlice<(start: UInt32, rest: Int)>, _ placed: inout [Int: BPFWriter.Position],
        _ writer: inout BPFWriter
    ) -> BPFWriter.Position {
        guard ranges.count > 1 else { return write(ranges[ranges.startIndex].rest, &placed, &writer) }
        let middle = ranges.startIndex + ranges.count / 2
        let upper = search(ranges[middle...], &placed, &writer)
        let lower = search(ranges[..<middle], &placed, &writer)
        return writer.compare(Self.atLeast, ranges[middle].start, ifTrue: upper, ifFalse: lower)
    }

    private func write(
        _ index: Int, _ placed: inout [Int: BPFWriter.Position], _ writer: inout BPFWriter
    ) -> BPFWriter.Position {
        if let position = placed[index] { return position }
        let position: BPFWriter.Position
        switch rests[index] {
        case .answer(let value): position = writer.answer(value)
        case .load(let offset, let then): position = writer.load(offset, then: write(then, &placed, &writer))
        case .and(let mask, let then): position = writer.and(mask, then: write(then, &placed, &writer))
        case .compare(let code, let value, let yes, let no):
            let ifTrue = write(yes, &placed, &writer)
            let ifFalse = write(no, &placed, &writer)
            position = writer.compare(code, value, ifTrue: ifTrue, ifFalse: ifFalse)
        }
        placed[index] = position
        return position
    }
}
