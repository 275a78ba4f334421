import NIOCore

/// Reads what a client sends on the stream for its terminal's size: JSON objects in a row, `{"Width":80,"Height":24}`.
final class ResizeReader: ClientStreamReceiver {
    /// No object of a client's comes near it.
    private static let objectBytesMax = 1024

    private let stream: any ClientStream
    private let onSize: (WindowSize) -> Void
    private var object: [UInt8] = []
    private var isBroken = false

    init(_ stream: any ClientStream, onSize: @escaping (WindowSize) -> Void) {
        self.stream = stream
        self.onSize = onSize
        stream.receiver = self
    }

    func received(_ bytes: ByteBuffer) {
        stream.consumed(bytes.readableBytes)
        for byte in bytes.readableBytesView where !isBroken {
            object.append(byte)
            if byte == UInt8(ascii: "}") {
                if let size = Self.size(in: object) { onSize(size) } else { isBroken = true }
                object = []
            } else if object.count > Self.objectBytesMax {
                isBroken = true
            }
        }
    }

    func ended() {}
    func gone() {}

    /// The size that one object tells; nil where it is not such an object.
    static func size(in object: [UInt8]) -> WindowSize? {
        let text = String(decoding: object, as: UTF8.self).filter { !$0.isWhitespace }
        guard text.first == "{", text.last == "}" else { return nil }
        var size = WindowSize(rows: 0, columns: 0)
        for member in text.dropFirst().dropLast().split(separator: ",") {
            let parts = member.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let number = UInt16(parts[1]) else { return nil }
            switch parts[0].lowercased() {
            case "\"width\"": size.columns = number
            case "\"height\"": size.rows = number
            default: break
            }
        }
        return size
    }
}

/// Size of a client's terminal in characters.
struct WindowSize: Equatable {
    var rows: UInt16
    var columns: UInt16
}
