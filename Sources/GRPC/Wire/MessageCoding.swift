import NIOCore
import SwiftProtobuf

/// Bytes to protobuf messages and back.
enum MessageCoding {
    /// Nesting is bounded by SwiftProtobuf at 100; fields that we do not know are dropped, so they cost no memory.
    static let options: BinaryDecodingOptions = {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        return options
    }()

    /// Decodes a message; bytes that are none give INTERNAL, as statuscodes.md says for both sides.
    static func decode<Value: Message>(_ bytes: [UInt8], as type: Value.Type) throws(GRPCStatus) -> Value {
        do {
            return try Value(serializedBytes: bytes, options: options)
        } catch {
            throw GRPCStatus(code: .internal, message: "cannot decode \(Value.protoMessageName): \(error)")
        }
    }

    /// Encodes a message with its length prefix.
    static func frame(_ message: some Message) throws(GRPCStatus) -> ByteBuffer {
        let bytes: [UInt8]
        do {
            bytes = try message.serializedBytes()
        } catch {
            throw GRPCStatus(code: .internal, message: "cannot encode \(type(of: message).protoMessageName): \(error)")
        }
        return try framed(bytes)
    }
}
