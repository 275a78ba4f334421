/// A plan as bytes: magic, version, kind, PID namespace, streams, deadline, steps.
///
/// Other than in a message nothing of a plan may be skipped: an unknown step or a surplus byte fails the launch, since a
/// process must not run without something that was asked for. A step that gets another field gets another number.
package enum PlanCoder {
    package static func encode(_ plan: LaunchPlan) throws(WireError) -> Bytes {
        var writer = WireWriter()
        writer.integer(Wire.planMagic)
        writer.integer(Wire.version)
        writer.integer(plan.kind.rawValue)
        plan.pidNamespace.write(&writer)
        plan.streams.write(&writer)
        writer.integer(plan.deadlineMilliseconds)
        writer.list(plan.steps, countMax: WireLimits.stepsMax) { writer, step in
            writer.integer(step.number.rawValue)
            writer.nested(step.body)
        }
        return try writer.finish(bytesMax: WireLimits.planBytes)
    }

    package static func decode(_ bytes: Bytes) throws(WireError) -> LaunchPlan {
        guard bytes.count <= WireLimits.planBytes else { throw .tooLarge }
        var reader = WireReader(bytes)
        var plan = try header(&reader)
        plan.steps = try reader.list(countMax: WireLimits.stepsMax, elementBytesMin: 6, step)
        try reader.finish()
        return plan
    }

    /// All but the steps, from the first bytes of a plan: what a supervisor needs to know; its child reads the rest.
    package static func decodeHeader(_ bytes: Bytes) throws(WireError) -> LaunchPlan {
        var reader = WireReader(bytes)
        return try header(&reader)
    }

    /// Bytes that hold every field before the steps.
    package static let headerBytesMax = 512

    private static func header(_ reader: inout WireReader) throws(WireError) -> LaunchPlan {
        guard try reader.u32() == Wire.planMagic else { throw .badMagic }
        let version = try reader.u16()
        guard version == Wire.version else { throw .badVersion(version) }
        return LaunchPlan(
            kind: try reader.choice(LaunchPlan.Kind.self), pidNamespace: try LaunchPlan.PIDNamespace(&reader),
            streams: try LaunchPlan.Streams(&reader), deadlineMilliseconds: try reader.u32(), steps: [])
    }

    private static func step(_ reader: inout WireReader) throws(WireError) -> Step {
        let raw = try reader.u16()
        var fields = try reader.nested(bytesMax: WireLimits.planBytes)
        guard let number = Step.Number(rawValue: raw) else { throw .unknownStep(raw) }
        let step = try Step(number, &fields)
        try fields.finish()
        return step
    }
}

extension LaunchPlan.PIDNamespace {
    fileprivate func write(_ writer: inout WireWriter) {
        switch self {
        case .host: writer.integer(UInt8(0))
        case .new: writer.integer(UInt8(1))
        case .podInit: writer.integer(UInt8(2))
        case .container(let process):
            writer.integer(UInt8(3))
            writer.name(process)
        }
    }

    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        switch try reader.u8() {
        case 0: self = .host
        case 1: self = .new
        case 2: self = .podInit
        case 3: self = .container(try reader.name())
        default: throw .badValue
        }
    }
}

extension LaunchPlan.Streams {
    fileprivate func write(_ writer: inout WireWriter) {
        switch self {
        case .null: writer.integer(UInt8(0))
        case .logged(let log, let stdin, let limits):
            writer.integer(UInt8(limits == .none ? 1 : 5))
            writer.slot(log)
            writer.bool(stdin)
            if limits != .none { limits.write(&writer) }
        case .loggedTerminal(let log, let limits):
            writer.integer(UInt8(limits == .none ? 2 : 6))
            writer.slot(log)
            if limits != .none { limits.write(&writer) }
        case .passed(let stdin, let stdout, let stderr):
            writer.integer(UInt8(3))
            writer.slot(stdin)
            writer.slot(stdout)
            writer.slot(stderr)
        case .passedTerminal: writer.integer(UInt8(4))
        }
    }

    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        switch try reader.u8() {
        case 0: self = .null
        case 1: self = .logged(log: try reader.slot(), stdin: try reader.bool())
        case 2: self = .loggedTerminal(log: try reader.slot())
        case 3: self = .passed(stdin: try reader.slot(), stdout: try reader.slot(), stderr: try reader.slot())
        case 4: self = .passedTerminal
        // Of a later version: the first two with limits.
        case 5:
            self = .logged(log: try reader.slot(), stdin: try reader.bool(), limits: try LogLimits(&reader))
        case 6: self = .loggedTerminal(log: try reader.slot(), limits: try LogLimits(&reader))
        default: throw .badValue
        }
    }
}

extension WireWriter {
    fileprivate mutating func slot(_ slot: DescriptorSlot?) {
        if let slot, Int(slot) >= WireLimits.descriptorsMax { fail(.badValue) }
        optional(slot) { writer, slot in writer.integer(slot) }
    }
}

extension WireReader {
    fileprivate mutating func slot() throws(WireError) -> DescriptorSlot? {
        guard try bool() else { return nil }
        let slot = try u8()
        guard Int(slot) < WireLimits.descriptorsMax else { throw .badValue }
        return slot
    }
}
