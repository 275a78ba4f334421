/// One instruction of classic BPF, as struct sock_filter has it (linux/filter.h).
struct BPFInstruction: Hashable {
    /// What an instruction does; those that seccomp's filters are made of (linux/bpf_common.h).
    enum Code {
        /// A word of struct seccomp_data into the accumulator.
        static let load: UInt16 = 0x20
        static let and: UInt16 = 0x54
        static let jump: UInt16 = 0x05
        static let answer: UInt16 = 0x06
        /// Compares of the accumulator with the value.
        static let equal: UInt16 = 0x15, greater: UInt16 = 0x25, atLeast: UInt16 = 0x35, anyBit: UInt16 = 0x45
    }

    var code: UInt16
    var jumpTrue: UInt8 = 0
    var jumpFalse: UInt8 = 0
    var value: UInt32

    /// A 32-bit word of struct seccomp_data.
    static func load(offset: UInt32) -> BPFInstruction { BPFInstruction(code: Code.load, value: offset) }
    static func jump(_ distance: UInt32) -> BPFInstruction { BPFInstruction(code: Code.jump, value: distance) }
    static func answer(_ value: UInt32) -> BPFInstruction { BPFInstruction(code: Code.answer, value: value) }

    /// Passes over the next instruction where the accumulator compares so.
    static func skipIfEqual(_ value: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.equal, jumpTrue: 1, value: value)
    }
    static func skipIfGreater(_ value: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.greater, jumpTrue: 1, value: value)
    }
    static func skipIfAtLeast(_ value: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.atLeast, jumpTrue: 1, value: value)
    }
    static func skipTwoIfAtLeast(_ value: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.atLeast, jumpTrue: 2, value: value)
    }
    static func skipUnlessAtLeast(_ value: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.atLeast, jumpFalse: 1, value: value)
    }
    static func skipUnlessEqual(_ value: UInt32) -> BPFInstruction {
        BPFInstruction(code: Code.equal, jumpFalse: 1, value: value)
    }

    var bytes: [UInt8] {
        [UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8), jumpTrue, jumpFalse]
            + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    /// The instructions of a program as the kernel takes it; what is no whole instruction at its end is left out.
    static func all(in program: [UInt8]) -> [BPFInstruction] {
        var all: [BPFInstruction] = []
        for at in stride(from: 0, to: program.count - program.count % 8, by: 8) {
            let code = UInt16(program[at]) | UInt16(program[at + 1]) << 8
            var value: UInt32 = 0
            for byte in program[at + 4..<at + 8].reversed() { value = value << 8 | UInt32(byte) }
            all.append(
                BPFInstruction(code: code, jumpTrue: program[at + 2], jumpFalse: program[at + 3], value: value))
        }
        return all
    }
}
