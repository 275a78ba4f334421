import OCI
import TestKit
import Testing

@testable import Seccomp

/// A compacted filter answers as the one that it was made from, and is much smaller.
@Suite struct FilterCompactionTests {
    private static let architectures = [
        BPFInterpreter.x86_64, BPFInterpreter.i386, 0, SeccompArchitecture.aarch64.auditValue,
        SeccompArchitecture.arm.auditValue,
    ]

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
            architectures: round % 4 == 3 ? [.aarch64, .arm] : [.x86_64, .x86, .x32])
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

    @Test(
        "RuntimeDefault is a seventh of what it was, and answers as before",
        arguments: [["CAP_CHOWN"], ["CAP_SYS_PTRACE", "CAP_SYS_TIME"], ["CAP_SYS_ADMIN", "CAP_BPF", "CAP_SYSLOG"]])
    func runtimeDefault(capabilities: Set<String>) throws {
        var random = SeededGenerator.announced("compact RuntimeDefault")
        let profile = SeccompProfile.runtimeDefault.resolved(capabilities: capabilities, kernel: KernelVersion(6, 1))
        let long = try SeccompCompiler.uncompacted(profile)
        let filter = try SeccompCompiler().filter(for: profile)
        #expect(filter.instructionCount * 7 < long.instructionCount, "\(filter.instructionCount) instructions")
        #expect(
            FilterCompaction.compacted(BPFInstruction.all(in: long.program)) == BPFInstruction.all(in: filter.program))
        try compare(BPFInstruction.all(in: long.program), [0, 1, 38, 40, 8, 0x2_0000, 0x7e02_0000, .max], &random)
    }

    #if arch(x86_64)
        @Test("what the kernel runs in advance is short, and other interfaces are kept out of it")
        func inAdvance() throws {
            let filter = try SeccompCompiler().filter(
                for: SeccompProfile.runtimeDefault.resolved(capabilities: [], kernel: KernelVersion(6, 1)))
            let interpreter = BPFInterpreter(program: filter.program)
            var instructions = 0
            for number in UInt32(0)..<470 {
                let native = interpreter.run(number: number, architecture: BPFInterpreter.x86_64)
                instructions += native.instructionsToArgument ?? native.instructions
                let other = interpreter.run(number: number, architecture: BPFInterpreter.i386)
                #expect((other.instructionsToArgument ?? .max) < 6, "call \(number) of i386")
            }
            // A balanced tree of all ranges took 11.3.
            #expect(Double(instructions) / 470 < 10.8)
        }
    #endif

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

    /// A list of compares with numbers, each of which leads to EPERM, and the answer for all others.
    private func allowing(except numbers: [UInt32]) -> [BPFInstruction] {
        [.load(offset: 0)] + numbers.flatMap { [.skipUnlessEqual($0), .answer(0x0005_0001)] } + [.answer(0x7fff_0000)]
    }

    @Test(
        "a number by itself costs one instruction, a range two borders",
        arguments: [([7], 4), ([7, 9, 11], 6), ([7, 8, 9], 5), ([0], 4), ([.max], 4)] as [([UInt32], Int)])
    func loneNumbers(numbers: [UInt32], count: Int) throws {
        var random = SeededGenerator.announced("filters of lone numbers")
        let program = allowing(except: numbers)
        #expect(FilterCompaction.compacted(program).count == min(count, program.count))
        try compare(program, [0], &random)
    }

    @Test("an argument that is known already is not looked at again")
    func knownArguments() throws {
        // Each asks for the upper half to be zero first, as libseccomp does, then for 38 and 40 in the lower one.
        var program: [BPFInstruction] = []
        for value in [38, 40, 42] as [UInt32] {
            program += [
                .load(offset: 20), BPFInstruction(code: 0x15, jumpFalse: 3, value: 0),
                .load(offset: 16), BPFInstruction(code: 0x15, jumpFalse: 1, value: value), .answer(0x0005_0001),
            ]
        }
        program += [.load(offset: 24), BPFInstruction(code: 0x54, value: 0), .skipIfEqual(0), .answer(0)]
        program.append(.answer(0x7fff_0000))
        var random = SeededGenerator.announced("filters of repeated checks")
        // Two loads, one check of the upper half, three of the lower one, two answers; none with an empty mask.
        #expect(FilterCompaction.compacted(program).count == 8)
        try compare(program, [0, 38, 39, 40, 41, 42, 1 << 32 | 38, 1 << 40, .max], &random)
    }

    @Test("what two architectures have in common at their ends is there once, and x32 uses the tree of x86_64")
    func shared() throws {
        // 24 lone numbers above 400 on both, and 24 below that only one has.
        let newer = (UInt32(0)..<24).map { 400 + 3 * $0 }
        let older = (UInt32(0)..<24).map { 100 + 3 * $0 }
        func filter(_ bit: UInt32?) -> [BPFInstruction] {
            let (x86_64, i386) = (allowing(except: older + newer), allowing(except: newer))
            let masked = allowing(except: (older + newer).map { $0 | (bit ?? 0) })
            let ofX32 =
                bit == nil ? [] : [.load(offset: 0), .skipIfAtLeast(1 << 30), .jump(UInt32(masked.count))] + masked
            return [.load(offset: 4), .skipIfEqual(BPFInterpreter.x86_64), .jump(UInt32(ofX32.count + x86_64.count))]
                + ofX32 + x86_64 + [.load(offset: 4), .skipIfEqual(BPFInterpreter.i386), .jump(UInt32(i386.count))]
                + i386
                + [.answer(0)]
        }
        var random = SeededGenerator.announced("filters of two architectures")
        let one = FilterCompaction.compacted(allowing(except: older + newer)).count
        let two = FilterCompaction.compacted(filter(nil)).count
        #expect(two < one + 16)
        #expect(FilterCompaction.compacted(filter(1 << 30)).count == two + 2)
        try compare(filter(nil), [0], &random)
        try compare(filter(1 << 30), [0], &random)
    }

    @Test("checks of one call are followed up to a depth, and more of them leave the program as it is")
    func deep() {
        func checks(_ count: UInt32) -> [BPFInstruction] {
            (0..<count).flatMap { [.load(offset: 16 + 4 * ($0 % 3)), .skipUnlessEqual($0), .answer(0x0005_0001)] }
                + [.answer(0x7fff_0000)]
        }
        let compacted = FilterCompaction.compacted(checks(250))
        #expect(compacted.count < checks(250).count)
        let (before, after) = (
            BPFInterpreter(program: checks(250).flatMap(\.bytes)), BPFInterpreter(program: compacted.flatMap(\.bytes))
        )
        for value in UInt64(0)..<252 {
            for arguments in [[value, 1000], [value << 32, 1000], [1000, value]] {
                let expected = before.answer(number: 1, architecture: 1, arguments: arguments)
                #expect(after.answer(number: 1, architecture: 1, arguments: arguments) == expected)
            }
        }
        #expect(FilterCompaction.compacted(checks(20_000)) == checks(20_000))
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
            for (base, count) in [
                (0, 560), (BPFInterpreter.x32Bit, 560), (0x7fff_fff0, 32), (0xbfff_fff0, 32), (0xffff_fff0, 32),
            ] as [(UInt32, UInt32)] {
                for number in 0..<count {
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
