import CLICore

/// The JSON schema of a configuration file, for editors and checks: what `MessageFile` reads, under the names of the .proto file.
enum JSONSchema {
    /// - Parameter root: a message of the CRI, such as "PodSandboxConfig".
    static func of(_ root: String) throws(Failure) -> JSONValue {
        var definitions: [JSONValue.Member] = []
        var names = [root]
        var index = 0
        while index < names.count {
            guard let shape = MessageShape.of(names[index]) else {
                throw Failure("\(names[index]) is not a message of the CRI")
            }
            for case .message(let name) in shape.fields.map(\.kind) where !names.contains(name) { names.append(name) }
            definitions.append(.init(shape.name, object(shape)))
            index += 1
        }
        return .object([
            .init("$schema", .string("https://json-schema.org/draft/2020-12/schema")), .init("$ref", reference(root)),
            .init("$defs", .object(definitions.sorted { $0.name < $1.name })),
        ])
    }

    private static func reference(_ name: String) -> JSONValue { .string("#/$defs/\(name)") }

    private static func object(_ shape: MessageShape) -> JSONValue {
        let properties = shape.fields.map { field in
            JSONValue.Member(field.protoName, value(field, isEnvironment: shape.name == "KeyValue"))
        }
        return .object([
            .init("type", .string("object")), .init("additionalProperties", .bool(false)),
            .init("properties", .object(properties)),
        ])
    }

    private static func value(_ field: MessageShape.Field, isEnvironment: Bool) -> JSONValue {
        switch field.form {
        case .single: single(field.kind, isEnvironment)
        case .repeated:
            .object([.init("type", .string("array")), .init("items", single(field.kind, isEnvironment))])
        case .map:
            .object([.init("type", .string("object")), .init("additionalProperties", type("string"))])
        }
    }

    private static func single(_ kind: MessageShape.Kind, _ isEnvironment: Bool) -> JSONValue {
        switch kind {
        case .string: type("string")
        // Values of environment variables stand in a file as they are.
        case .bytes where isEnvironment: type("string")
        case .bytes: .object([.init("type", .string("string")), .init("contentEncoding", .string("base64"))])
        case .bool: type("boolean")
        case .number, .integer64: type("integer")
        case .enumeration(let names):
            .object([
                .init("anyOf", .array([.object([.init("enum", .array(names.map { .string($0) }))]), type("integer")]))
            ])
        case .message(let name): .object([.init("$ref", reference(name))])
        }
    }

    private static func type(_ name: String) -> JSONValue { .object([.init("type", .string(name))]) }
}
