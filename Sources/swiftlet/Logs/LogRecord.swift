import CLICore

/// One record of a container's log: "TIME STREAM TAGS CONTENT" and a line's end, as kubelets read it.
struct LogRecord: Equatable {
    enum Stream: Equatable, Sendable { case stdout, stderr }

    /// The time as it was written.
    var time: Substring
    var stream: Stream
    /// The line goes on in the stream's next record.
    var isPartial: Bool
    var content: ArraySlice<UInt8>

    /// Reads a record without its line's end; nil if it is not one.
    init?(_ line: ArraySlice<UInt8>) {
        let space = UInt8(ascii: " ")
        guard let timeEnd = line.firstIndex(of: space), timeEnd - line.startIndex <= 64 else { return nil }
        guard let streamEnd = line[(timeEnd + 1)...].firstIndex(of: space) else { return nil }
        switch String(decoding: line[(timeEnd + 1)..<streamEnd], as: UTF8.self) {
        case "stdout": stream = .stdout
        case "stderr": stream = .stderr
        default: return nil
        }
        let rest = line[(streamEnd + 1)...]
        let tagsEnd = rest.firstIndex(of: space) ?? rest.endIndex
        // Tags may be separated by colons; only the first says whether the line is whole.
        switch rest[..<tagsEnd].prefix(while: { $0 != UInt8(ascii: ":") }).first {
        case UInt8(ascii: "P"): isPartial = true
        case UInt8(ascii: "F"): isPartial = false
        default: return nil
        }
        time = Substring(decoding: line[..<timeEnd], as: UTF8.self)
        content = tagsEnd < rest.endIndex ? rest[(tagsEnd + 1)...] : rest[rest.endIndex...]
    }
}
