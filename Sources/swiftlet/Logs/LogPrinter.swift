import CLICore

/// Prints the records of a log: the container's standard output to ours, its standard error to ours, parts of lines joined.
struct LogPrinter {
    private let console: Console
    private let showsTimes: Bool
    private let since: UnixNanoseconds?
    private let only: LogRecord.Stream?
    /// How many more bytes may be printed.
    private var bytesLeft: Int?
    private var isInLine: Set<LogRecord.Stream> = []

    init(
        console: Console, showsTimes: Bool = false, since: UnixNanoseconds? = nil, only: LogRecord.Stream? = nil,
        bytesMax: Int? = nil
    ) {
        self.console = console
        self.showsTimes = showsTimes
        self.since = since
        self.only = only
        self.bytesLeft = bytesMax
    }

    /// Whether nothing more will be printed.
    var isDone: Bool { bytesLeft == 0 }

    mutating func print(_ lines: [ArraySlice<UInt8>]) throws {
        var pending: [UInt8] = []
        var stream = LogRecord.Stream.stdout
        for line in lines {
            guard let record = LogRecord(line) else {
                // Not a record: show it as it is rather than lose it.
                try write(pending, to: stream)
                pending = []
                try write(Array(line) + [UInt8(ascii: "\n")], to: .stdout)
                continue
            }
            guard only == nil || record.stream == only, isRecent(record) else { continue }
            if record.stream != stream {
                try write(pending, to: stream)
                pending = []
                stream = record.stream
            }
            append(record, to: &pending)
        }
        try write(pending, to: stream)
    }

    private mutating func append(_ record: LogRecord, to text: inout [UInt8]) {
        if showsTimes, !isInLine.contains(record.stream) {
            text.append(contentsOf: record.time.utf8)
            text.append(UInt8(ascii: " "))
        }
        text.append(contentsOf: record.content)
        if record.isPartial {
            isInLine.insert(record.stream)
        } else {
            isInLine.remove(record.stream)
            text.append(UInt8(ascii: "\n"))
        }
    }

    private func isRecent(_ record: LogRecord) -> Bool {
        guard let since else { return true }
        // A record whose time cannot be read is shown.
        return parseRFC3339(record.time).map { $0 >= since } ?? true
    }

    private mutating func write(_ text: [UInt8], to stream: LogRecord.Stream) throws {
        var text = text[...]
        if let left = bytesLeft {
            text = text.prefix(left)
            bytesLeft = left - text.count
        }
        guard !text.isEmpty else { return }
        switch stream {
        case .stdout: try console.writeOut(Array(text))
        case .stderr: try console.writeError(Array(text))
        }
    }
}
