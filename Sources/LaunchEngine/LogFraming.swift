package import LaunchProtocol
package import Linux

/// Cuts a container's output into records: one per line, lines over 16 KiB in parts.
///
/// A record is `<time> <stream> <tag> <content>\n`, tag P for a part that is continued and F for the end of a line. A "\r"
/// right before the newline is dropped, as terminals write it. What has no newline yet waits in `pending`.
package struct LogFraming: Sendable {
    /// Most bytes of content in one record, as kubelet and containerd have it.
    package static let contentMax = 16_384
    /// Most bytes that wait: full content, and a "\r" of which nobody knows yet whether a newline follows.
    package static let pendingMax = contentMax + 1

    package private(set) var pending: Bytes = []

    package init() {}

    /// Cuts as many records out of `input` as fit into `output`, from `start` on.
    ///
    /// `input` holds `pending`, then what was read. Returns where to go on when `output` is full; nil when all is cut, and what
    /// is left waits in `pending`.
    package mutating func cut(
        _ input: borrowing PageBuffer, from start: Int, stamps: RecordStamps, into output: inout PageBuffer
    ) -> Int? {
        var begin = start
        // What has waited holds no newline: it need not be searched again.
        var search = max(begin, start == 0 ? pending.count : begin)
        while let newline = input.firstIndex(of: UInt8(ascii: "\n"), from: search) {
            var end = newline
            if end > begin, input.byte(at: end - 1) == UInt8(ascii: "\r") { end -= 1 }
            while end - begin > LogFraming.contentMax {
                guard append(input, begin, LogFraming.contentMax, stamps.partial, &output) else { return begin }
                begin += LogFraming.contentMax
            }
            guard append(input, begin, end - begin, stamps.full, &output) else { return begin }
            begin = newline + 1
            search = begin
        }
        while isOverlong(input, from: begin) {
            guard append(input, begin, LogFraming.contentMax, stamps.partial, &output) else { return begin }
            begin += LogFraming.contentMax
        }
        pending = input.bytes(begin..<input.count)
        return nil
    }

    /// The last record of a stream that ends without a newline: a part, as containerd has it.
    package mutating func finish(stamps: RecordStamps, into output: inout PageBuffer) {
        guard !pending.isEmpty else { return }
        let size = stamps.partial.count + pending.count + 1
        guard size <= output.room else { return }
        _ = output.append(stamps.partial)
        _ = output.append(pending)
        _ = output.append(UInt8(ascii: "\n"))
        pending = []
    }

    /// Whether a full part can be cut although the line has not ended. With one byte more that is a "\r" it may have.
    private func isOverlong(_ input: borrowing PageBuffer, from begin: Int) -> Bool {
        let size = input.count - begin
        if size == LogFraming.contentMax + 1 { return input.byte(at: input.count - 1) != UInt8(ascii: "\r") }
        return size > LogFraming.contentMax
    }

    private func append(
        _ input: borrowing PageBuffer, _ begin: Int, _ size: Int, _ stamp: Bytes, _ output: inout PageBuffer
    ) -> Bool {
        guard stamp.count + size + 1 <= output.room else { return false }
        _ = output.append(stamp)
        _ = output.append(input, begin..<(begin + size))
        return output.append(UInt8(ascii: "\n"))
    }
}

/// The two fronts of the records of one stream at one moment.
package struct RecordStamps: Sendable {
    package var partial: Bytes
    package var full: Bytes

    package init(_ stream: LogStreamName, at nanoseconds: Int64) {
        partial = RecordStamp.bytes(at: nanoseconds, stream: stream, isPartial: true)
        full = RecordStamp.bytes(at: nanoseconds, stream: stream, isPartial: false)
    }
}
