package import SwiftProtobuf

extension JSONValue {
    /// A CRI message as protobuf's JSON with the fields written that have their default value, as crictl prints it: scripts
    /// rely on `exitCode: 0` and `state: SANDBOX_READY` being there. Sub-messages that are not set stay out.
    package init(message: some SwiftProtobuf.Message) throws {
        var options = JSONEncodingOptions()
        options.useDeterministicOrdering = true
        let bytes: [UInt8] = try message.jsonUTF8Bytes(options: options)
        let name = type(of: message).protoMessageName.split(separator: ".").last.map(String.init) ?? ""
        self = try JSONParser.parse(bytes).fillingDefaults(of: name)
    }

    private func fillingDefaults(of name: String) -> JSONValue {
        guard case .object(let members) = self, let shape = MessageShape.of(name) else { return self }
        var filled: [Member] = []
        for field in shape.fields {
            if let present = members.first(where: { $0.name == field.jsonName }) {
                filled.append(.init(field.jsonName, present.value.fillingDefaults(in: field)))
            } else if let value = field.defaultValue {
                filled.append(.init(field.jsonName, value))
            }
        }
        return .object(filled + members.filter { shape.field(named: $0.name) == nil })
    }

    private func fillingDefaults(in field: MessageShape.Field) -> JSONValue {
        switch (field.kind, self) {
        case (.message(let name), .array(let items)): .array(items.map { $0.fillingDefaults(of: name) })
        case (.message(let name), _): fillingDefaults(of: name)
        default: self
        }
    }
}

extension MessageShape.Field {
    fileprivate var defaultValue: JSONValue? {
        switch (form, kind) {
        case (.repeated, _): .array([])
        case (.map, _): .object([])
        case (.single, .message): nil
        case (.single, .string), (.single, .bytes): .string("")
        case (.single, .bool): .bool(false)
        case (.single, .number): .number(0)
        case (.single, .integer64): .string("0")
        case (.single, .enumeration(let names)): names.first.map(JSONValue.string)
        }
    }
}
