/// One 64-bit instruction of the kernel's BPF machine, of the few kinds that a device program needs
/// (Documentation/bpf/standardization/instruction-set.rst).
package struct BPFInstruction: Sendable, Hashable, CustomStringConvertible {
    package enum Operation: UInt8, Sendable {
        /// dst = 32 bits of the context at `offset`
        case load32 = 0x61
        case set = 0xb7
        // 32-bit arithmetic; the upper half of the register becomes zero.
        case shiftRight = 0x74
        case and = 0x54
        case andRegister = 0x5c
        case or = 0x44
        /// 32-bit comparison (the 64-bit one would extend the sign of the constant).
        case skipIfNotEqual = 0x56
        case exit = 0x95
    }

    package let operation: Operation
    package let destination: UInt8
    package let source: UInt8
    package let offset: Int16
    package let constant: UInt32

    private init(
        _ operation: Operation, _ destination: UInt8, _ source: UInt8 = 0, offset: Int16 = 0, constant: UInt32 = 0
    ) {
        self.operation = operation
        self.destination = destination
        self.source = source
        self.offset = offset
        self.constant = constant
    }

    static func load32(_ register: UInt8, from base: UInt8, at offset: Int16) -> Self {
        Self(.load32, register, base, offset: offset)
    }
    static func set(_ register: UInt8, _ value: UInt32) -> Self { Self(.set, register, constant: value) }
    static func shiftRight(_ register: UInt8, _ bits: UInt32) -> Self { Self(.shiftRight, register, constant: bits) }
    static func and(_ register: UInt8, _ mask: UInt32) -> Self { Self(.and, register, constant: mask) }
    static func and(_ register: UInt8, register other: UInt8) -> Self { Self(.andRegister, register, other) }
    static func or(_ register: UInt8, _ mask: UInt32) -> Self { Self(.or, register, constant: mask) }
    static func skip(_ count: Int16, ifNotEqual register: UInt8, _ value: UInt32) -> Self {
        Self(.skipIfNotEqual, register, offset: count, constant: value)
    }
    static let exit = Self(.exit, 0)

    /// `struct bpf_insn` as a little-endian number.
    package var encoded: UInt64 {
        UInt64(operation.rawValue) | UInt64(source << 4 | destination) << 8
            | UInt64(UInt16(bitPattern: offset)) << 16 | UInt64(constant) << 32
    }

    /// Reads like an assembler listing.
    package var description: String {
        switch operation {
        case .load32: "r\(destination) = context[\(offset)]"
        case .set: "r\(destination) = \(constant)"
        case .shiftRight: "r\(destination) >>= \(constant)"
        case .and: "r\(destination) &= \(constant)"
        case .andRegister: "r\(destination) &= r\(source)"
        case .or: "r\(destination) |= \(constant)"
        case .skipIfNotEqual: "skip \(offset) if r\(destination) != \(constant)"
        case .exit: "exit"
        }
    }
}
