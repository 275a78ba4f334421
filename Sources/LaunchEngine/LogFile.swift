package import LaunchProtocol
package import Linux

/// The log file of one container. Only whole records reach it, whatever the disk says.
///
/// One write(2) takes many whole records. When the disk is full in the middle of one, the rest of that record is owed: it is
/// written before anything else. Records that cannot be written are dropped and counted, and a record that says how many is
/// the first to follow when writing works again.
package struct LogFile: ~Copyable {
    /// nil: records are dropped without a trace, as the container has no log.
    private var file: OwnedFD?
    private var owed: Bytes = []
    /// Since the last record that said so.
    private var unreported: UInt64 = 0
    /// Since the launch.
    package private(set) var dropped: UInt64 = 0
    private var reason = LogLoss.failure(.noSpace)
    private var allowance: LogAllowance

    package init(_ file: consuming OwnedFD?, limits: LogLimits = .none) {
        allowance = LogAllowance(limits, at: Clock.monotonicNanoseconds, fileBytes: LogFile.size(of: file))
        self.file = file
    }

    /// Writes whole records.
    package mutating func write(_ records: borrowing PageBuffer) {
        guard file != nil, records.count > 0 else { return }
        var loss: LogLoss?
        let end = allowance.isUnlimited ? records.count : allowed(records, &loss)
        // What was lost before is told when something can follow it.
        if end > 0 {
            guard catchUp() else { return drop(records, from: 0) }
            write(records, to: end)
        }
        guard let loss else { return }
        reason = loss
        drop(records, from: end)
    }

    private mutating func write(_ records: borrowing PageBuffer, to end: Int) {
        var done = 0
        while done < end {
            do throws(Errno) {
                let taken = try file.lend { file throws(Errno) in try records.write(to: file, from: done, upTo: end) }
                // A regular file takes something or fails.
                guard let taken, taken > 0 else { throw .inputOutput }
                done += taken
            } catch {
                return fail(records, at: done, upTo: end, error)
            }
        }
    }

    /// Where the records end that the limits let through.
    private mutating func allowed(_ records: borrowing PageBuffer, _ loss: inout LogLoss?) -> Int {
        allowance.fill(at: Clock.monotonicNanoseconds)
        var begin = 0
        while let newline = records.firstIndex(of: UInt8(ascii: "\n"), from: begin) {
            loss = allowance.take(newline + 1 - begin)
            if loss != nil { break }
            begin = newline + 1
        }
        return begin
    }

    private static func size(of file: borrowing OwnedFD?) -> UInt64 {
        do throws(Errno) {
            return try file.lend { file throws(Errno) in try file.status().size } ?? 0
        } catch {
            return 0
        }
    }

    /// Goes on in another file, with the next record: no record is torn by it. What the old file cannot take even now is lost.
    package mutating func `switch`(to other: consuming OwnedFD) {
        _ = catchUp()
        owed = []
        file = consume other
        allowance.begin(fileBytes: LogFile.size(of: file))
    }

    /// The last chance to say what was lost.
    package mutating func close() {
        _ = catchUp()
        file = nil
    }

    /// Pays what is owed and says what was dropped; false where the disk does not take it.
    private mutating func catchUp() -> Bool {
        if !pay() { return false }
        if unreported == 0 { return true }
        owed = marker
        unreported = 0
        return pay()
    }

    private mutating func pay() -> Bool {
        while !owed.isEmpty {
            do throws(Errno) {
                let content = owed
                let taken = try file.lend { file throws(Errno) in try file.write(content) }
                guard let taken, taken > 0 else { return false }
                owed.removeFirst(min(taken, owed.count))
            } catch {
                reason = .failure(error)
                return false
            }
        }
        return true
    }

    private mutating func fail(_ records: borrowing PageBuffer, at place: Int, upTo last: Int, _ error: Errno) {
        reason = .failure(error)
        var begin = place
        if place > 0, records.byte(at: place - 1) != UInt8(ascii: "\n") {
            // Torn: the rest of this record is owed.
            let end = records.firstIndex(of: UInt8(ascii: "\n"), from: place).map { $0 + 1 } ?? last
            owed = records.bytes(place..<end)
            begin = end
        }
        drop(records, from: begin, upTo: last)
    }

    private mutating func drop(_ records: borrowing PageBuffer, from start: Int, upTo end: Int = .max) {
        var begin = start
        while begin < end, let newline = records.firstIndex(of: UInt8(ascii: "\n"), from: begin) {
            dropped &+= 1
            unreported &+= 1
            begin = newline + 1
        }
    }

    private var marker: Bytes {
        let stamp = RecordStamp.bytes(at: Clock.realtimeNanoseconds, stream: .error, isPartial: false)
        let front = stamp + Path("swiftlet: ").bytes + decimal(unreported)
        switch reason {
        case .failure(let errno):
            return front + Path(" log records could not be written, errno ").bytes
                + decimal(UInt64(errno.number.magnitude)) + [UInt8(ascii: "\n")]
        case .rate: return front + Path(" log records were over the limit of bytes per second\n").bytes
        case .size: return front + Path(" log records were over the limit of the file's size\n").bytes
        }
    }
}
