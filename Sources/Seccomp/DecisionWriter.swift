/// Writes decisions as a program. A word is loaded only where the accumulator does not hold it.
struct DecisionWriter {
    /// A decision, or what stands in front of it to have its word in the accumulator.
    private struct Entry: Hashable {
        enum Part { case body, mask, load }

        var index: Int
        var part = Part.body
    }

    private let graph: DecisionGraph
    private var writer = BPFWriter()
    private var placed: [Entry: BPFWriter.Position] = [:]

    /// The program that begins with a decision.
    static func program(of graph: DecisionGraph, from start: Int) -> [BPFInstruction] {
        var writing = DecisionWriter(graph: graph)
        let position = writing.write(start, holding: nil)
        return writing.writer.program(from: position)
    }

    private init(graph: DecisionGraph) { self.graph = graph }

    /// Where a call goes on for a decision, the accumulator holding a word.
    private mutating func write(_ index: Int, holding held: DecisionGraph.Word?) -> BPFWriter.Position {
        guard case .test(let test, _, _) = graph.decisions[index], held != test.word else {
            return place(Entry(index: index)) { $0.body(index) }
        }
        let whole = DecisionGraph.Word(offset: test.word.offset)
        if held == whole {
            return place(Entry(index: index, part: .mask)) {
                let body = $0.write(index, holding: test.word)
                return $0.writer.and(test.word.mask, then: body)
            }
        }
        return place(Entry(index: index, part: .load)) {
            let loaded = $0.write(index, holding: whole)
            return $0.writer.load(whole.offset, then: loaded)
        }
    }

    private mutating func place(
        _ entry: Entry, _ write: (inout DecisionWriter) -> BPFWriter.Position
    ) -> BPFWriter.Position {
        if let position = placed[entry] { return position }
        let position = write(&self)
        placed[entry] = position
        return position
    }

    private mutating func body(_ index: Int) -> BPFWriter.Position {
        switch graph.decisions[index] {
        case .answer(let value): return writer.answer(value)
        case .mask(let mask, let then):
            let masked = write(then, holding: .number)
            return writer.and(mask, then: masked)
        case .load(let word, let then):
            let next = write(then, holding: word)
            return writer.load(word.offset, then: next)
        case .test(let test, let yes, let no):
            let ifTrue = write(yes, holding: test.word)
            let ifFalse = write(no, holding: test.word)
            return writer.compare(test.code, test.value, ifTrue: ifTrue, ifFalse: ifFalse)
        }
    }
}
