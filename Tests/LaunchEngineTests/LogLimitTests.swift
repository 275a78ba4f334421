import Testing

@testable import LaunchEngine
@testable import LaunchProtocol
@testable import Linux

@Suite("Limits of a log")
struct LogLimitTests {
    private static let second: Int64 = 1_000_000_000

    @Test("a second's worth comes at once, then as much as time brings")
    func rate() {
        var allowance = LogAllowance(LogLimits(bytesPerSecond: 1_000), at: 0, fileBytes: 0)
        for _ in 0..<10 { #expect(allowance.take(100) == nil) }
        #expect(allowance.take(100) == .rate)
        allowance.fill(at: Self.second / 10)
        // The account may be overdrawn by one record, whatever its size.
        #expect(allowance.take(5_000) == nil)
        #expect(allowance.take(1) == .rate)
        // Balanced only when all of it is paid: 4,900 bytes are 4.9 seconds.
        for step in 1...4 {
            allowance.fill(at: Self.second / 10 + Int64(step) * Self.second)
            #expect(allowance.take(1) == .rate)
        }
        allowance.fill(at: Self.second / 10 + 5 * Self.second)
        #expect(allowance.take(1) == nil)
    }

    @Test("time that is not used is worth a second at most, and a clock that runs back brings nothing")
    func idle() {
        var allowance = LogAllowance(LogLimits(bytesPerSecond: 1_000), at: 0, fileBytes: 0)
        allowance.fill(at: 3_600 * Self.second)
        var taken = 0
        while allowance.take(100) == nil { taken += 100 }
        #expect(taken == 1_000)
        allowance.fill(at: 0)
        #expect(allowance.take(1) == .rate)
    }

    @Test("any numbers come out without a trap", arguments: [1, 1 << 40, UInt64.max] as [UInt64])
    func extremes(_ number: UInt64) {
        let limits = LogLimits(bytesPerSecond: number, fileBytesMax: number)
        var allowance = LogAllowance(limits, at: .min / 2, fileBytes: number)
        for time: Int64 in [.min / 2, -1, 0, 1, .max / 2] {
            allowance.fill(at: time)
            allowance.begin(fileBytes: number)
            _ = allowance.take(1 << 30)
        }
    }

    @Test("a file is filled with whole records up to its limit, and ends with the count of what is missing")
    func size() throws {
        let old = try Scrap()
        let new = try Scrap()
        var log = LogFile(try old.fd.duplicate(), limits: LogLimits(fileBytesMax: 100))
        var records = try PageBuffer(capacity: 1 << 16)
        for index in 0..<30 { _ = records.append(Array("record \(index % 10)\n".utf8)) }
        log.write(records)
        // 11 records of 9 bytes fit into 100.
        #expect(log.dropped == 19)
        log.write(records)
        #expect(log.dropped == 49)
        log.switch(to: try new.fd.duplicate())
        let text = try old.text()
        #expect(text.hasPrefix((0..<11).map { "record \($0 % 10)\n" }.joined()))
        #expect(text.hasSuffix("swiftlet: 49 log records were over the limit of the file's size\n"))
        records.removeAll()
        _ = records.append(Array("next\n".utf8))
        log.write(records)
        #expect(try new.text() == "next\n")
    }

    @Test("what a file has already counts")
    func existing() throws {
        let file = try Scrap()
        try file.fd.writeAll(Array("x\n".utf8))
        var log = LogFile(try file.fd.duplicate(), limits: LogLimits(fileBytesMax: 5))
        var records = try PageBuffer(capacity: 1 << 16)
        _ = records.append(Array("1\n3\n".utf8))
        log.write(records)
        #expect(log.dropped == 1)
        #expect(try file.text() == "x\n1\n")
    }

    @Test("a log over its rate says how many records it lost when the next one comes through")
    func rateMarker() throws {
        let file = try Scrap()
        var log = LogFile(try file.fd.duplicate(), limits: LogLimits(bytesPerSecond: 1))
        var records = try PageBuffer(capacity: 1 << 16)
        for _ in 0..<100 { _ = records.append(Array("a record\n".utf8)) }
        log.write(records)
        #expect(log.dropped == 99)
        log.close()
        let text = try file.text()
        #expect(text.hasPrefix("a record\n"))
        #expect(text.hasSuffix("stderr F swiftlet: 99 log records were over the limit of bytes per second\n"))
    }
}

/// A file that nobody else finds.
private struct Scrap: ~Copyable {
    let fd: OwnedFD

    init() throws(Errno) {
        let path = Path("/tmp/swiftlet-log-\(UInt64.random(in: 0...UInt64.max))")
        let file = try OwnedFD.open(path, [.readWrite, .create, .append], mode: 0o600)
        try OwnedFD.open("/tmp", [.readOnly, .directory]).unlink(path)
        fd = file
    }

    func text() throws(Errno) -> String { String(decoding: try fd.read(max: 1 << 16, at: 0), as: UTF8.self) }
}
