import Testing

@testable import LaunchEngine
@testable import LaunchProtocol
@testable import Linux

/// A pipe that takes little and does not block stands for a disk that is full for a while.
private struct Disk: ~Copyable {
    var pipe: Linux.Pipe

    init() throws(Errno) {
        let made = try Linux.Pipe(nonBlockingReader: true)
        try made.writing.setNonBlocking(true)
        pipe = made
    }

    func file() throws(Errno) -> OwnedFD { try pipe.writing.duplicate() }

    /// Everything that is on the disk; room for as much comes of it.
    func drain() throws(Errno) -> String {
        var all: [UInt8] = []
        while true {
            do throws(Errno) {
                let part = try pipe.reading.read(max: 65_536)
                if part.isEmpty { break }
                all += part
            } catch {
                break
            }
        }
        return String(decoding: all, as: UTF8.self)
    }
}

private func buffer(_ records: [String]) throws(Errno) -> PageBuffer {
    var buffer = try PageBuffer(capacity: 1 << 20)
    for record in records { _ = buffer.append(Array((record + "\n").utf8)) }
    return buffer
}

private func record(_ number: Int, size: Int = 900) -> String {
    "\(number)." + String(repeating: "x", count: size - "\(number).".count)
}

@Suite("Log file")
struct LogFileTests {
    @Test(
        "a full disk tears no record: the rest of a torn one comes first, then the count of the lost ones, then the next"
    )
    func fullDisk() throws {
        let disk = try Disk()
        var log = LogFile(try disk.file())
        // More than a pipe of 64 KiB holds: it takes the front and refuses the rest.
        log.write(try buffer((0..<200).map { record($0) }))
        let dropped = log.dropped
        #expect(dropped > 0)
        log.write(try buffer([record(200)]))
        #expect(log.dropped == dropped + 1)

        let before = try disk.drain()
        #expect(!before.hasSuffix("\n"))
        log.write(try buffer([record(201), record(202)]))
        let lines = (before + (try disk.drain())).split(separator: "\n").map(String.init)
        let whole = 200 - Int(dropped)
        #expect(Array(lines.prefix(whole)) == (0..<whole).map { record($0) })
        #expect(lines[whole].hasSuffix(" stderr F swiftlet: \(dropped + 1) log records could not be written, errno 11"))
        #expect(Array(lines.dropFirst(whole + 1)) == [record(201), record(202)])
        #expect(log.dropped == dropped + 1)
    }

    @Test("a switch of files happens between records: the torn one ends in the old file, the count opens the new one")
    func switching() throws {
        let old = try Disk()
        let new = try Disk()
        var log = LogFile(try old.file())
        log.write(try buffer((0..<200).map { record($0) }))
        let before = try old.drain()
        log.switch(to: try new.file())
        log.write(try buffer(["next"]))
        let all = before + (try old.drain())
        #expect(all.hasSuffix("\n"))
        #expect(all.contains("log records could not be written"))
        #expect(try new.drain() == "next\n")
    }

    @Test("what the old file cannot take is lost, and the new file begins with whole records")
    func switchingFullFile() throws {
        let old = try Disk()
        let new = try Disk()
        var log = LogFile(try old.file())
        log.write(try buffer((0..<200).map { record($0) }))
        let dropped = log.dropped
        log.switch(to: try new.file())
        log.write(try buffer(["next"]))
        let lines = try new.drain().split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].contains("swiftlet: \(dropped) log records could not be written"))
        #expect(lines[1] == "next")
    }

    @Test("a disk that takes nothing costs every record, and they are counted")
    func deviceFull() throws {
        var log = LogFile(try OwnedFD.open("/dev/full", .writeOnly))
        for _ in 0..<10 { log.write(try buffer(["a", "b", "c"])) }
        #expect(log.dropped == 30)
    }

    @Test("without a file, records are dropped and nothing is counted")
    func noFile() throws {
        var log = LogFile(nil)
        log.write(try buffer(["a"]))
        log.close()
        #expect(log.dropped == 0)
    }

    @Test("the last words are written at the close")
    func close() throws {
        let disk = try Disk()
        var log = LogFile(try disk.file())
        log.write(try buffer((0..<200).map { record($0) }))
        let before = try disk.drain()
        log.close()
        let end = try disk.drain()
        #expect((before + end).split(separator: "\n").last?.contains("log records could not be written") == true)
    }
}

@Suite("Log pump")
struct LogPumpTests {
    @Test("a stream is carried to its end, in fair shares")
    func carry() throws {
        var pump = try LogPump()
        var pipe = try Linux.Pipe(nonBlockingReader: true)
        let sink = try Linux.Pipe(nonBlockingReader: true)
        var log = LogFile(try sink.writing.duplicate())
        var source = LogSource(pipe.takeReading(), .error)
        try pipe.writing.writeAll(Array("one\ntwo\nhalf".utf8))
        let ended = pump.carry(&source, to: &log)
        #expect(!ended)
        #expect(pump.isWarm == true)
        let first = String(decoding: try sink.reading.read(max: 9_999), as: UTF8.self)
        #expect(first.hasSuffix("stderr F two\n"))
        do { _ = pipe.takeWriting() }
        let atEnd = pump.carry(&source, to: &log)
        #expect(atEnd)
        #expect(String(decoding: try sink.reading.read(max: 9_999), as: UTF8.self).hasSuffix("Z stderr P half\n"))
        pump.rest()
        #expect(pump.isWarm == false)
    }
}
