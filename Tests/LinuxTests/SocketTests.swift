import Foundation
import Testing

@testable import Linux

@Suite("PacketSocket")
struct PacketSocketTests {
    @Test("packets keep their bounds and their order")
    func packets() throws {
        let pair = try PacketSocket.pair()
        let contents = [[1], bytes("second"), [UInt8](repeating: 7, count: 60_000)]
        for content in contents { try pair.first.send(content) }
        for content in contents {
            let packet = try pair.second.receive(max: 65_536)
            #expect(packet.lend { $0.bytes } == content)
        }
    }

    @Test("descriptors arrive in their order, close-on-exec, and work", arguments: [1, 2, 16])
    func descriptors(count: Int) throws {
        let pair = try PacketSocket.pair()
        var sent = DescriptorTable()
        // Put in reverse: the slots give the order.
        for slot in (0..<count).reversed() {
            let file = try MemoryFile.sealed([UInt8(slot)], name: "slot")
            sent.put(UInt16(slot), file)
        }
        try pair.first.send([0], with: sent)
        guard var packet = try pair.second.receive(max: 10) else {
            Issue.record("closed")
            return
        }
        let received = packet.descriptors.count
        #expect(received == count)
        for slot in 0..<count {
            guard let file = packet.descriptors.take(UInt16(slot)) else {
                Issue.record("slot \(slot)")
                continue
            }
            let isSet = isCloseOnExec(file)
            #expect(isSet)
            #expect(try MemoryFile.readSealed(file, max: 9) == [UInt8(slot)])
        }
    }

    @Test("seventeen descriptors are refused before anything is sent")
    func tooMany() throws {
        let pair = try PacketSocket.pair(nonBlocking: true)
        var table = DescriptorTable()
        for slot in 0..<17 { table.put(UInt16(slot), try OwnedFD.open("/dev/null", .readOnly)) }
        do {
            try pair.first.send([0], with: table)
            Issue.record("sent")
        } catch {
            #expect(error == .tooBig)
        }
        #expect(throws: Errno.again) { _ = try pair.second.receive(max: 10).lend { $0.bytes } }
    }

    @Test("a packet over the bound is dropped whole, its descriptors are closed, and the next one is read")
    func oversize() throws {
        let pair = try PacketSocket.pair()
        var pipe = try Pipe()
        do {
            let writing = pipe.takeWriting()
            try pair.first.send([UInt8](repeating: 1, count: 5_000), with: writing)
        }
        try pair.first.send([2])
        #expect(throws: Errno.messageTooLong) { _ = try pair.second.receive(max: 4_999).lend { $0.bytes } }
        // The last copy of the writing end went with the dropped packet.
        #expect(try pipe.reading.readToEnd(max: 1) == [])
        let next = try pair.second.receive(max: 4_999)
        #expect(next.lend { $0.bytes } == [2])
    }

    @Test("a closed peer reads as nil and cannot be written to, without a signal")
    func closed() throws {
        var pair = try PacketSocket.pair()
        do { _ = pair.takeFirst() }
        let packet = try pair.second.receive(max: 10)
        #expect(packet.lend { $0.bytes } == nil)
        #expect(throws: Errno.brokenPipe) { try pair.second.send([1]) }
    }

    @Test("a socket is reached through its directory, however long the path, and knows its peer")
    func listener() throws {
        let scratch = try Scratch()
        let long = (0..<12).map { _ in String(repeating: "d", count: 40) }.joined(separator: "/")
        try scratch.makeDirectory(long)
        let directory = try OwnedFD.open(Path(scratch.path + "/" + long), [.readOnly, .directory])
        let listener = try PacketListener(name: "ctl", in: directory, mode: 0o600)
        #expect(try directory.status("ctl").mode == 0o600)
        #expect(try directory.status("ctl").kind == .socket)
        let none = try listener.accept()
        #expect((none.lend { _ in true } ?? false) == false)
        let client = try PacketSocket.connect(to: "ctl", in: directory)
        guard let server = try listener.accept() else {
            Issue.record("no connection")
            return
        }
        try client.send(bytes("hello"))
        let packet = try server.receive(max: 10)
        #expect(packet.lend { $0.bytes } == bytes("hello"))
        #expect(try server.peer() == PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid()))
        #expect(throws: Errno.self) { _ = try PacketListener(name: "ctl", in: directory, mode: 0o600).fd.status() }
    }

    @Test("a missing or dead socket is told apart")
    func dead() throws {
        let scratch = try Scratch()
        let directory = try scratch.open()
        #expect(throws: Errno.noEntry) { _ = try PacketSocket.connect(to: "ctl", in: directory).fd.status() }
        do { _ = try PacketListener(name: "ctl", in: directory, mode: 0o600) }
        #expect(throws: Errno.connectionRefused) { _ = try PacketSocket.connect(to: "ctl", in: directory).fd.status() }
    }
}

@Suite("Waiting")
struct WaitingTests {
    @Test("what is ready comes with its token and its events")
    func epoll() throws {
        var epoll = try Epoll()
        var pipe = try Pipe()
        let counter = try EventCounter()
        try epoll.add(pipe.reading, .readable, token: 0xffff_ffff_ffff_fffe)
        try epoll.add(counter.fd, .readable, token: 2)
        #expect(try epoll.wait(milliseconds: 0) == [])

        try pipe.writing.write([1])
        #expect(try epoll.wait(milliseconds: nil) == [Epoll.Ready(token: 0xffff_ffff_ffff_fffe, events: .readable)])

        try counter.signal()
        try counter.signal()
        #expect(try epoll.wait(milliseconds: nil).count == 2)
        #expect(try counter.fd.read(max: 8) == [2, 0, 0, 0, 0, 0, 0, 0])
        #expect(throws: Errno.again) { _ = try counter.fd.read(max: 8) }
        #expect(try epoll.wait(milliseconds: 0).map(\.token) == [0xffff_ffff_ffff_fffe])

        do { _ = pipe.takeWriting() }
        let events = try epoll.wait(milliseconds: 0).first?.events
        #expect(events == [.readable, .hangUp])
        try epoll.remove(pipe.reading)
        #expect(try epoll.wait(milliseconds: 0) == [])
    }

    @Test("a timer becomes readable once it is due, and not when it is stopped")
    func timer() throws {
        let timer = try Timer()
        try timer.set(nanoseconds: 1)
        #expect(try timer.fd.waitReadable(milliseconds: 10_000) == true)
        try timer.set(nanoseconds: 3_600_000_000_000)
        try timer.set(nanoseconds: 0)
        #expect(try timer.fd.waitReadable(milliseconds: 0) == false)
    }

    @Test("the clocks run forward")
    func clocks() {
        let first = Clock.monotonicNanoseconds
        #expect(Clock.monotonicNanoseconds >= first)
        #expect(Clock.boottimeNanoseconds >= first)
        #expect(Clock.realtimeNanoseconds > 1_700_000_000_000_000_000)
    }
}
