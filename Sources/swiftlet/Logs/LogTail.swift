import CLICore
import Foundation

/// Finds where the last lines of a log begin by reading it backwards.
enum LogTail {
    private static let blockBytes: UInt64 = 1 << 16
    /// Enough of a record to see its tag: time, stream and tag.
    private static let headBytes = 128

    /// The offset of the last `count` lines of the program. A record begins one unless the record before it is partial.
    static func start(of count: Int, in file: FileHandle) throws -> UInt64 {
        let size = try file.seekToEnd()
        guard count > 0 else { return size }
        var lines = 0
        var candidate: UInt64?
        var end = size
        while end > 0 {
            let start = end > blockBytes ? end - blockBytes : 0
            try file.seek(toOffset: start)
            let block = Array(try file.read(upToCount: Int(end - start)) ?? Data())
            for index in block.indices.reversed() where block[index] == UInt8(ascii: "\n") {
                let record = start + UInt64(index) + 1
                guard record < size else { continue }
                if let candidate, try endsLine(recordAt: record, in: file) {
                    lines += 1
                    if lines == count { return candidate }
                }
                candidate = record
            }
            end = start
        }
        if let candidate, try endsLine(recordAt: 0, in: file), lines + 1 == count { return candidate }
        return 0
    }

    private static func endsLine(recordAt offset: UInt64, in file: FileHandle) throws -> Bool {
        try file.seek(toOffset: offset)
        let head = try file.read(upToCount: headBytes) ?? Data()
        let line = Array(head.prefix { $0 != UInt8(ascii: "\n") })
        return LogRecord(line[...]).map { !$0.isPartial } ?? true
    }
}
