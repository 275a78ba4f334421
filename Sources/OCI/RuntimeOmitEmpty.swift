/// A value that JSON leaves out where it has nothing to say, as the runtime-spec's Go types do with `omitempty`.
package protocol RuntimeEmptiable: Codable, Equatable {
    /// What an absent member means.
    static var runtimeEmpty: Self { get }
}

extension Array: RuntimeEmptiable where Element: Codable & Equatable {
    package static var runtimeEmpty: [Element] { [] }
}

extension Dictionary: RuntimeEmptiable where Key == String, Value: Codable & Equatable {
    package static var runtimeEmpty: [String: Value] { [:] }
}

extension Bool: RuntimeEmptiable {
    package static var runtimeEmpty: Bool { false }
}

extension String: RuntimeEmptiable {
    package static var runtimeEmpty: String { "" }
}

extension Int64: RuntimeEmptiable {
    package static var runtimeEmpty: Int64 { 0 }
}

/// A member that is not written where it is empty and is empty where it is absent or null.
@propertyWrapper
package struct OmitEmpty<Value: RuntimeEmptiable>: Codable, Equatable {
    package var wrappedValue: Value

    package init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(Value.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

extension OmitEmpty: Sendable where Value: Sendable {}

extension OmitEmpty: Hashable where Value: Hashable {}

// The synthesized code of every type below picks these two in place of the general ones.
extension KeyedDecodingContainer {
    func decode<Value>(_ type: OmitEmpty<Value>.Type, forKey key: Key) throws -> OmitEmpty<Value> {
        OmitEmpty(wrappedValue: try decodeIfPresent(Value.self, forKey: key) ?? Value.runtimeEmpty)
    }
}

extension KeyedEncodingContainer {
    mutating func encode<Value>(_ value: OmitEmpty<Value>, forKey key: Key) throws {
        guard value.wrappedValue != Value.runtimeEmpty else { return }
        try encode(value.wrappedValue, forKey: key)
    }
}
