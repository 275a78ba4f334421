import Foundation
import Testing

@testable import Linux

@Suite("OwnedFD", .serialized)
struct OwnedFDTests {
    @Test("a descriptor is closed when its owner ends, and not when it was given away")
    func ownership() throws {
        let ended: Int32
        do {
            let fd = try OwnedFD.open("/dev/null", .readOnly)
            ended = fd.withRaw { $0 }
            #expect(isOpen(ended))
        }
        let given = try OwnedFD.open("/dev/null", .readOnly).take()
        #expect(isOpen(given))
        try OwnedFD(taking: given).close()
        #expect(ended >= 0)
    }

    @Test("closing reports a failure")
    func closeFailure() throws {
        let fd = try OwnedFD.open("/dev/null", .readOnly)
        let raw = fd.withRaw { $0 }
        // A second owner of a number is what this layer exists to prevent; here it makes close(2) fail.
        #expect(Linux_close(raw) == 0)
        do throws(Errno) {
            try fd.close()
            Issue.record("closed twice")
        } catch {
            #expect(error == .badDescriptor)
        }
    }

    @Test("every way to make a descriptor sets close-on-exec")
    func closeOnExec() throws {
        let scratch = try Scratch()
        let directory = try scratch.open()
        try expectCloseOnExec(directory.duplicate())
        try expectCloseOnExec(directory.open("x", [.create, .writeOnly], mode: 0o600))
        try expectCloseOnExec(directory.open("x", .readOnly, resolve: .beneath))
        try expectCloseOnExec(directory.open("x", .path).reopen(.readOnly))
        let pipe = try Pipe()
        expectCloseOnExec(pipe.reading)
        expectCloseOnExec(pipe.writing)
        let pair = try PacketSocket.pair()
        expectCloseOnExec(pair.first.fd)
        expectCloseOnExec(pair.second.fd)
        try expectCloseOnExec(EventCounter().fd)
        try expectCloseOnExec(Timer().fd)
        try expectCloseOnExec(SignalSet([.user1]).openDescriptor())
        try expectCloseOnExec(MemoryFile.sealed([1], name: "x"))
        try expectCloseOnExec(Pidfd.open(pid: getpid()).fd)
    }

    @Test("a pipe's end can be given away, and the other end sees its close")
    func pipeEnds() throws {
        var pipe = try Pipe()
        do {
            let writing = pipe.takeWriting()
            try writing.writeAll(bytes("abc"))
        }
        #expect(try pipe.reading.readToEnd(max: 10) == bytes("abc"))
    }

    @Test("non-blocking can be set and taken back")
    func nonBlocking() throws {
        let pipe = try Pipe(nonBlockingReader: true)
        #expect(throws: Errno.again) { try pipe.reading.read(max: 1) }
        try pipe.reading.setNonBlocking(false)
        try pipe.writing.write([9])
        #expect(try pipe.reading.read(max: 4) == [9])
    }
}

private func expectCloseOnExec(
    _ fd: borrowing OwnedFD, sourceLocation: SourceLocation = #_sourceLocation
) {
    let isSet = isCloseOnExec(fd)
    #expect(isSet, sourceLocation: sourceLocation)
}

private func Linux_close(_ raw: Int32) -> Int32 { Foundation.close(raw) }

@Suite("DescriptorTable")
struct DescriptorTableTests {
    @Test("slots are put, lent, taken and counted; a replaced descriptor is closed")
    func slots() throws {
        var table = DescriptorTable()
        let first = try Pipe()
        let second = try Pipe()
        table.put(7, try first.writing.duplicate())
        table.put(2, try second.writing.duplicate())
        #expect(table.count == 2)
        try table.with(2) { fd throws(Errno) in try fd.writeAll([2]) }
        #expect(try second.reading.read(max: 9) == [2])
        #expect(throws: Errno.badDescriptor) { try table.with(3) { _ throws(Errno) in } }
        let contains = table.contains(7)
        #expect(contains)

        table.put(7, try second.writing.duplicate())
        try table.with(7) { fd throws(Errno) in try fd.writeAll([7]) }
        #expect(try second.reading.read(max: 9) == [7])

        #expect((table.take(2).lend { _ in true } ?? false) == true)
        #expect((table.take(2).lend { _ in true } ?? false) == false)
        #expect(table.count == 1)
    }

    @Test("what is left in a table is closed with it")
    func end() throws {
        var pipe = try Pipe()
        do {
            var table = DescriptorTable()
            table.append(pipe.takeWriting())
            let contains = table.contains(0)
            #expect(contains)
        }
        #expect(try pipe.reading.readToEnd(max: 1) == [])
    }
}
