/// A JSON document. Plugins get what their configuration says, so that unknown keys and the spelling of numbers are
/// kept.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    /// As it was written: no number is rounded on its way through.
    case number(String)
    case string(String)
    case array([JSON])
    case object([String: JSON])
}

extension JSON {
    package static func integer(_ value: some BinaryInteger) -> JSON { .number("\(value)") }
    package static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }

    /// The member of an object; nil for null and for what is no object.
    package subscript(_ key: String) -> JSON? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }

    package var text: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var flag: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var number: Int? {
        guard case .number(let value) = self else { return nil }
        return Int(value)
    }

    package var elements: [JSON]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    package var members: [String: JSON]? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// This object with `key` set; what is no object stays as it is.
    package func setting(_ key: String, _ value: JSON) -> JSON {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }
}

extension JSON {
    /// The document without spaces and with sorted keys: the same value is the same bytes.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += Array("null".utf8)
        case .bool(let value): output += Array((value ? "true" : "false").utf8)
        case .number(let digits): output += Array(digits.utf8)
        case .string(let value): Self.write(value, to: &output)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                value.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
