import Cgroups
import TestKit
import Testing

/// What is asked of the program when a process opens or makes a device node.
struct DeviceRequest: Sendable {
    var kind: DeviceRule.Kind
    var major: UInt32
    var minor: UInt32
    var access: DeviceRule.Access
}

/// Runs a program as the kernel would; nil where it does something that the verifier refuses.
func interpret(_ program: DeviceProgram, _ request: DeviceRequest) -> Bool? {
    let context: [Int16: UInt32] = [
        0: UInt32(request.access.rawValue) << 16 | (request.kind == .block ? 1 : 2), 4: request.major, 8: request.minor,
    ]
    var registers: [UInt8: UInt32] = [:]
    var position = 0
    while program.instructions.indices.contains(position) {
        let step = program.instructions[position]
        position += 1
        switch step.operation {
        case .load32:
            guard step.source == 1, let word = context[step.offset] else { return nil }
            registers[step.destination] = word
        case .set: registers[step.destination] = step.constant
        case .exit: return registers[0].map { $0 == 1 }
        case .skipIfNotEqual:
            guard let value = registers[step.destination], step.offset > 0 else { return nil }
            if value != step.constant { position += Int(step.offset) }
        case .shiftRight, .and, .andRegister, .or:
            guard let value = registers[step.destination] else { return nil }
            switch step.operation {
            case .shiftRight: registers[step.destination] = value >> step.constant
            case .and: registers[step.destination] = value & step.constant
            case .or: registers[step.destination] = value | step.constant
            default:
                guard let other = registers[step.source] else { return nil }
                registers[step.destination] = value & other
            }
        }
    }
    return nil
}

/// The meaning of a list, said without a program: for each kind of access the last rule that names it and the device
/// decides.
func isAllowed(_ request: DeviceRequest, by rules: [DeviceRule]) -> Bool {
    [DeviceRule.Access.mknod, .read, .write].filter { request.access.contains($0) }.allSatisfy { wanted in
        rules.last { rule in
            rule.access.contains(wanted)
                && (rule.kind == .all
                    || rule.kind == request.kind && (rule.major ?? request.major) == request.major
                        && (rule.minor ?? request.minor) == request.minor)
        }?.allow ?? false
    }
}

@Suite("device programs")
struct DeviceProgramTests {
    static let container: [DeviceRule] = [
        .denyAll,
        DeviceRule(allow: true, kind: .character, access: .mknod),
        DeviceRule(allow: true, kind: .character, major: 1, minor: 3),
        DeviceRule(allow: true, kind: .character, major: 136),
    ]

    @Test("golden: the program of a short list")
    func golden() throws {
        #expect(
            try DeviceProgram(Self.container).instructions.map(\.description) == [
                "r3 = 7", "r3 |= 7",
                "r2 = context[0]", "r2 &= 65535", "skip 1 if r2 != 2", "r3 &= 6",
                "r2 = context[0]", "r2 &= 65535", "skip 5 if r2 != 2", "r2 = context[4]", "skip 3 if r2 != 1",
                "r2 = context[8]", "skip 1 if r2 != 3", "r3 &= 0",
                "r2 = context[0]", "r2 &= 65535", "skip 3 if r2 != 2", "r2 = context[4]", "skip 1 if r2 != 136",
                "r3 &= 0",
                "r2 = context[0]", "r2 >>= 16", "r2 &= r3", "r0 = 0", "skip 1 if r2 != 0", "r0 = 1", "exit",
            ])
    }

    @Test("golden: instructions as the kernel reads them")
    func encoding() throws {
        let program = try DeviceProgram([DeviceRule(allow: true, kind: .block, major: .max)])
        #expect(
            program.instructions.map { String($0.encoded, radix: 16) } == [
                "7000003b7", "1261", "ffff00000254", "100030256", "41261", "ffffffff00010256", "354",
                "1261", "1000000274", "325c", "b7", "10256", "1000000b7", "95",
            ])
    }

    @Test("every list means the same to the program as to its definition")
    func property() throws {
        var generator = SeededGenerator(seed: 7)
        let numbers: [UInt32?] = [nil, 0, 1, 8, .max]
        for _ in 0..<400 {
            let rules = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                let kind = DeviceRule.Kind.allCases.randomElement(using: &generator) ?? .all
                return DeviceRule(
                    allow: .random(using: &generator), kind: kind,
                    major: numbers.randomElement(using: &generator) ?? nil,
                    minor: numbers.randomElement(using: &generator) ?? nil,
                    access: DeviceRule.Access(rawValue: .random(in: 0...7, using: &generator)))
            }
            let program = try DeviceProgram(rules)
            for kind in [DeviceRule.Kind.block, .character] {
                for major in numbers.compactMap({ $0 }) {
                    for minor in numbers.compactMap({ $0 }) {
                        for bits in UInt8(0)...7 {
                            let request = DeviceRequest(
                                kind: kind, major: major, minor: minor, access: .init(rawValue: bits))
                            #expect(interpret(program, request) == isAllowed(request, by: rules), "\(rules) \(request)")
                        }
                    }
                }
            }
        }
    }

    @Test("no rule at all allows nothing")
    func empty() throws {
        let program = try DeviceProgram([])
        #expect(interpret(program, DeviceRequest(kind: .character, major: 1, minor: 3, access: .read)) == false)
    }

    @Test("a list longer than any real one is refused")
    func bounded() {
        let rules = Array(
            repeating: DeviceRule(allow: true, kind: .block, major: 1, minor: 1), count: DeviceProgram.rulesMax + 1)
        #expect(throws: CgroupError.tooManyDeviceRules(rules.count)) { try DeviceProgram(rules) }
    }

    @Test(
        "rules are read from OCI words, and what is no rule is refused",
        arguments: [
            ("c", 1, 3, "rwm", DeviceRule(allow: true, kind: .character, major: 1, minor: 3)),
            ("b", -1, nil, "m", DeviceRule(allow: true, kind: .block, access: .mknod)),
            ("a", 4, 4, "", DeviceRule(allow: true, kind: .all)),
            ("", nil, nil, "r", DeviceRule(allow: true, kind: .all, access: .read)),
            ("x", nil, nil, "r", nil), ("c", -2, nil, "r", nil), ("c", 4_294_967_296, nil, "r", nil),
            ("c", 1, 1, "rx", nil),
        ] as [(String, Int64?, Int64?, String, DeviceRule?)])
    func words(type: String, major: Int64?, minor: Int64?, access: String, rule: DeviceRule?) {
        #expect(DeviceRule(allow: true, type: type, major: major, minor: minor, access: access) == rule)
    }
}
