import LaunchProtocol
package import Linux

/// One of a container's output streams.
package struct LogSource: ~Copyable {
    /// Non-blocking: the read end of a pipe, or the serving end of a terminal.
    package let fd: OwnedFD
    package let name: LogStreamName
    var framing = LogFraming()
    /// Those that get the same bytes.
    package internal(set) var clients: [AttachedPipe] = []
    /// Whether one of them has lost its place.
    var hasLoss = false

    package init(_ fd: consuming OwnedFD, _ name: LogStreamName) {
        self.fd = fd
        self.name = name
    }
}

/// Carries output to log files and attached clients through two buffers that all containers share.
///
/// The buffers are there while something flows; a supervisor at rest has none of their pages.
package struct LogPump: ~Copyable {
    private var input: PageBuffer
    private var output: PageBuffer
    /// Whether pages are held.
    package private(set) var isWarm = false

    /// What a pipe holds by default is read in one go.
    private static let inputBytes = 65_536 + 20_480
    private static let outputBytes = 131_072
    /// Reads of one stream before others have their turn.
    private static let readsMax = 4

    package init() throws(Errno) {
        let read = try PageBuffer(capacity: LogPump.inputBytes)
        let write = try PageBuffer(capacity: LogPump.outputBytes)
        input = read
        output = write
    }

    /// Carries what is there, but not more than a fair share. True when the stream has ended, and its last record is written.
    package mutating func carry(_ source: inout LogSource, to log: inout LogFile) -> Bool {
        isWarm = true
        for _ in 0..<LogPump.readsMax {
            input.removeAll()
            _ = input.append(source.framing.pending)
            do throws(Errno) {
                if try input.read(from: source.fd) == 0 { return end(&source, &log) }
                source.copy(input, from: source.framing.pending.count)
            } catch {
                if error == .again { return false }
                // EIO: nobody has the terminal any more.
                return end(&source, &log)
            }
            cut(&source, &log)
        }
        return false
    }

    /// Writes what has no newline, for a stream that is given up.
    package mutating func finish(_ source: inout LogSource, to log: inout LogFile) {
        isWarm = true
        _ = end(&source, &log)
    }

    /// Gives the pages back.
    package mutating func rest() {
        input.giveBackPages()
        output.giveBackPages()
        isWarm = false
    }

    private mutating func cut(_ source: inout LogSource, _ log: inout LogFile) {
        // One time for all records of a read: they are written in the same moment.
        let stamps = RecordStamps(source.name, at: Clock.realtimeNanoseconds)
        var start: Int? = 0
        while let from = start {
            output.removeAll()
            start = source.framing.cut(input, from: from, stamps: stamps, into: &output)
            log.write(output)
        }
    }

    private mutating func end(_ source: inout LogSource, _ log: inout LogFile) -> Bool {
        output.removeAll()
        source.framing.finish(stamps: RecordStamps(source.name, at: Clock.realtimeNanoseconds), into: &output)
        log.write(output)
        return true
    }
}
