package import LaunchProtocol

/// A plan for people (`inspect --plan`), as text or as JSON. The bytes of a seccomp filter show as a number of
/// instructions.
package enum PlanDump {
    /// One line a step, with its index; a first line for what is not a step.
    package static func text(_ plan: LaunchPlan) -> String {
        var out = "plan"
        for (name, value) in head(plan) { out += " \(name)=\(text(value))" }
        for (index, step) in plan.steps.enumerated() {
            out += "\n\(index) \(step.name)"
            for (name, value) in step.fields { out += " \(name)=\(text(value))" }
        }
        return out + "\n"
    }

    /// One object: `kind`, `pidNamespace`, `streams`, `deadlineMilliseconds` and `steps`, each with `step` as its name.
    package static func json(_ plan: LaunchPlan) -> String {
        var members = head(plan).map { "\(quoted($0)):\(json($1))" }
        let steps = plan.steps.map { step in
            let fields = [("step", StepValue.word(step.name))] + step.fields
            return "{" + fields.map { "\(quoted($0)):\(json($1))" }.joined(separator: ",") + "}"
        }
        members.append("\"steps\":[" + steps.joined(separator: ",") + "]")
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func head(_ plan: LaunchPlan) -> [(String, StepValue)] {
        [
            ("kind", .case(plan.kind)), ("pidNamespace", .word(pidNamespace(plan.pidNamespace))),
            ("streams", .word(streams(plan.streams))),
            ("deadlineMilliseconds", .number(Int64(plan.deadlineMilliseconds))),
        ]
    }

    private static func pidNamespace(_ namespace: LaunchPlan.PIDNamespace) -> String {
        switch namespace {
        case .host: "host"
        case .new: "new"
        case .podInit: "podInit"
        case .container(let id): "container:\(String(decoding: id, as: UTF8.self))"
        }
    }

    private static func streams(_ streams: LaunchPlan.Streams) -> String {
        func slot(_ slot: DescriptorSlot?) -> String { slot.map(String.init) ?? "null" }
        return switch streams {
        case .null: "null"
        case .logged(let log, let stdin, let limits):
            "logged:\(slot(log))\(stdin ? ",stdin" : "")\(text(limits))"
        case .loggedTerminal(let log, let limits): "loggedTerminal:\(slot(log))\(text(limits))"
        case .passed(let stdin, let stdout, let stderr): "passed:\(slot(stdin)),\(slot(stdout)),\(slot(stderr))"
        case .passedTerminal: "passedTerminal"
        }
    }

    private static func text(_ limits: LogLimits) -> String {
        limits == .none ? "" : ",rate=\(limits.bytesPerSecond),size=\(limits.fileBytesMax)"
    }

    private static func text(_ value: StepValue) -> String {
        switch value {
        case .number(let number): String(number)
        case .mask(let mask): "0x" + String(mask, radix: 16)
        case .flag(let flag): String(flag)
        case .word(let word): word
        case .text(let bytes): quoted(String(decoding: bytes, as: UTF8.self))
        case .list(let values): "[" + values.map(text).joined(separator: " ") + "]"
        case .none: "none"
        }
    }

    private static func json(_ value: StepValue) -> String {
        switch value {
        case .number(let number): String(number)
        case .mask(let mask): quoted("0x" + String(mask, radix: 16))
        case .flag(let flag): String(flag)
        case .word(let word): quoted(word)
        case .text(let bytes): quoted(String(decoding: bytes, as: UTF8.self))
        case .list(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .none: "null"
        }
    }

    /// A JSON string (RFC 8259, section 7).
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\u{0}"..<" ", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
