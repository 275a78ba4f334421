/// A list of device rules as a program for the kernel (type BPF_PROG_TYPE_CGROUP_DEVICE).
///
/// The kernel runs it for every open and mknod of a device node with the device and the wanted access, and refuses with
/// EPERM when it returns 0. The program walks through the rules from the first to the last and keeps, in one register,
/// the kinds of access that are allowed so far: an allowing rule that names the device adds its bits, a denying one
/// takes them away. So the last rule that names a device and a kind of access decides, as OCI has it, also where a rule
/// covers only part of what is asked. There are no loops and no maps, only forward jumps.
package struct DeviceProgram: Sendable, Hashable {
    package let instructions: [BPFInstruction]

    /// Far above any list from the CRI, and within what the kernel's verifier follows: 8,192 jumps, three for each
    /// rule.
    package static let rulesMax = 2048

    // r1 is the kernel's context: { u32 access << 16 | type; u32 major; u32 minor }.
    private static let result: UInt8 = 0
    private static let context: UInt8 = 1
    private static let scratch: UInt8 = 2
    private static let refused: UInt8 = 3

    package init(_ rules: [DeviceRule]) throws(CgroupError) {
        guard rules.count <= Self.rulesMax else { throw .tooManyDeviceRules(rules.count) }
        // Nothing is allowed before the first rule.
        var program: [BPFInstruction] = [.set(Self.refused, 0b111)]
        for rule in rules { program += Self.compiled(rule) }
        program += [
            .load32(Self.scratch, from: Self.context, at: 0),
            .shiftRight(Self.scratch, 16),
            .and(Self.scratch, register: Self.refused),
            .set(Self.result, 0),
            .skip(1, ifNotEqual: Self.scratch, 0),
            .set(Self.result, 1),
            .exit,
        ]
        instructions = program
    }

    /// Tests that jump behind the rule, then the change of the refused bits. Every rule loads what it compares afresh:
    /// values kept in registers would make the verifier follow each known value through all later rules, which is
    /// quadratic.
    private static func compiled(_ rule: DeviceRule) -> [BPFInstruction] {
        let bits = UInt32(rule.access.rawValue)
        let change: BPFInstruction = rule.allow ? .and(refused, 0b111 & ~bits) : .or(refused, bits)
        guard rule.kind != .all else { return [change] }

        var tests: [(load: [BPFInstruction], value: UInt32)] = [
            ([.load32(scratch, from: context, at: 0), .and(scratch, 0xffff)], rule.kind == .block ? 1 : 2)
        ]
        if let major = rule.major { tests.append(([.load32(scratch, from: context, at: 4)], major)) }
        if let minor = rule.minor { tests.append(([.load32(scratch, from: context, at: 8)], minor)) }

        var reversed: [BPFInstruction] = [change]
        for test in tests.reversed() {
            reversed.append(.skip(Int16(truncatingIfNeeded: reversed.count), ifNotEqual: scratch, test.value))
            reversed += test.load.reversed()
        }
        return reversed.reversed()
    }
}
