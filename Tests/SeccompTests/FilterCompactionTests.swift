import OCI
import TestKit
import Testing

@testable import Seccomp

/// A compacted filter answers as the one that it was made from, and is much smaller.
@Suite struct FilterCompactionTests {
    private static let architectures = [BPFInterpreter.x86_64, BPFInterpreter.i386, 0, 0xc000_00b7]

    @Test("the small filter answers every call as libseccomp's does", arguments: 0..<8)
    func random(round: Int) throws {
        var random = SeededGenerator.announced("compact a random profile (\(round))")
        let names = DefaultSyscalls.allowed
        let actions = ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG"]
        let operators = [
            "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
            "SCMP_CMP_MASKED_EQ",
        ]
        let library = try SeccompLibrary.empty(
            defaultAction: try SeccompAction(name: actions[round % 3 == 0 ? 0 : 1], number: nil),
            architectures: [.x86_64, .x86, .x32])
        var values: Set<UInt64> = [0, 1, .max]
        for name in names.shuffled(using: &random).prefix(Int.random(in: 1...150, using: &random)) {
            guard let number = library.number(of: name) else { continue }
            let action = try SeccompAction(name: actions.randomElement(using: &random) ?? "", number: 7)
            var conditions: [SeccompLibrary.Condition] = []
            for index in UInt32(0)..<6 where Int.random(in: 0..<8, using: &random) == 0 {
                let shift = UInt64.random(in: 0...40, using: &random)
                let value = UInt64.random(in: 0...255, using: &random) << shift
                values.formUnion([value, value &+ 1, value &- 1])
                conditions.append(
                    .init(
                        index: index,
                        how: try SeccompOperator(name: operators.randomElement(using: &random) ?? ""), value: value,
                        valueTwo: value & UInt64.random(in: 0...UInt64.max, using: &random)))
            }
            // What the library refuses, such as an action that is the default's, makes no rule.
            do { try library.add(name, number, action, conditions) } catch { continue }
        }
        try compare(BPFInstruction.all(in: try library.program()), Array(values), &random)
    }

    @Test("RuntimeDefault is a sixth of what it was, and answers as before")
    func runtimeDefault() throws {
        var random = SeededGenerator.announced("compact RuntimeDefault")
        let filter = try SeccompCompiler().filter(
            for: SeccompProfile.runtimeDefault.resolved(capabilities: ["CAP_CHOWN"], kernel: KernelVersion(6, 1)))
        #expect(filter.instructionCount < 400, "\(filter.instructionCount) instructions")
        // Once more: a small filter is its own.
        try compare(BPFInstruction.all(in: filter.program), [0, 1, 38, 40, 8, 0x2_0000, 0x7e02_0000, .max], &random)
    }

    @Test("checks whose paths meet again cost their number, not that of their paths")
    func manyPaths() throws {
        var program: [BPFInstruction] = [.load(offset: 4), .load(offset: 0)]
        // Two comparisons each, of which either failure leads to the next two: 2^64 paths.
        for value in UInt32(0)..<64 {
            program += [
                .load(offset: 20), BPFInstruction(code: 0x15, jumpTrue: 0, jumpFalse: 3, value: value),
                .load(offset: 16), BPFInstruction(code: 0x15, jumpTrue: 0, jumpFalse: 1, value: value),
                .answer(0x7fff_0000),
            ]
        }
        program.append(.answer(0x0005_0001))
        var random = SeededGenerator.announced("filters of many paths")
        try compare(program, (UInt64(0)..<66).map { $0 << 32 | $0 }, &random)
    }

    @Test("a program that is not understood stays as it is")
    func foreign() {
        for program in [
            // A number and a mask, a register that nothing has set, a jump past the end, no end, an unknown code.
            [
                .load(offset: 0), BPFInstruction(code: 0x45, jumpTrue: 0, jumpFalse: 1, value: 1), .answer(0),
                .answer(1),
            ],
            [.skipIfEqual(3), .answer(0), .answer(1)], [.jump(7), .answer(0)], [.load(offset: 0)],
            [BPFInstruction(code: 0x07, value: 0), .answer(0)], [],
        ] as [[BPFInstruction]] {
            #expect(FilterCompaction.compacted(program) == program)
        }
    }

    private func compare(
        _ program: [BPFInstruction], _ values: [UInt64], _ random: inout SeededGenerator
    ) throws {
        let compacted = FilterCompaction.compacted(program)
        #expect(compacted.count <= program.count)
        let (before, after) = (
            BPFInterpreter(program: program.flatMap(\.bytes)), BPFInterpreter(program: compacted.flatMap(\.bytes))
        )
        var different = 0
        for architecture in Self.architectures {
            for base in [0, BPFInterpreter.x32Bit, 0x7fff_fff0, 0xffff_fdff] as [UInt32] {
                for number in UInt32(0)..<560 {
                    for _ in 0..<2 {
                        let arguments = (0..<6).map { _ in
                            values.randomElement(using: &random) ?? UInt64.random(in: 0...UInt64.max, using: &random)
                        }
                        let call = (base &+ number, architecture, arguments)
                        if before.answer(number: call.0, architecture: call.1, arguments: call.2)
                            != after.answer(number: call.0, architecture: call.1, arguments: call.2)
                        {
                            different += 1
                            if different < 5 { Issue.record("another answer to \(call)") }
                        }
                    }
                }
            }
        }
        #expect(different == 0)
    }
}
