import Foundation
import Testing

@testable import Linux

@Suite("Files")
struct FileTests {
    @Test("reading to the end stops one byte over the bound", arguments: [0, 1, 4_095, 65_536, 200_000])
    func bound(size: Int) throws {
        let scratch = try Scratch()
        try scratch.make("f", String(repeating: "x", count: size))
        let directory = try scratch.open()
        #expect(try directory.readFile("f", max: size).count == size)
        if size > 0 {
            #expect(throws: Errno.fileTooLarge) { try directory.readFile("f", max: size - 1) }
        }
    }

    @Test("only regular files are read, and a FIFO does not hang the reader")
    func kinds() throws {
        let scratch = try Scratch()
        let directory = try scratch.open()
        try directory.makeNode("fifo", kind: .fifo, mode: 0o600)
        try scratch.make("target", "secret")
        try scratch.link("link", to: "target")
        try scratch.makeDirectory("directory")
        #expect(throws: Errno.invalidArgument) { try directory.readFile("fifo", max: 10) }
        #expect(throws: Errno.tooManyLinks) { try directory.readFile("link", max: 10) }
        #expect(throws: Errno.invalidArgument) { try directory.readFile("directory", max: 10) }
        #expect(throws: Errno.noEntry) { try directory.readFile("missing", max: 10) }
    }

    @Test("a file is replaced in one step, with its mode, and nothing else is left", arguments: [false, true])
    func replace(durable: Bool) throws {
        let scratch = try Scratch()
        let directory = try scratch.open()
        try directory.replaceFile("record", bytes("one"), durable: durable)
        let old = try directory.open("record", .readOnly)
        try directory.replaceFile("record", bytes("two"), mode: 0o640, durable: durable)
        #expect(try old.readToEnd(max: 9) == bytes("one"))
        #expect(try directory.readFile("record", max: 9) == bytes("two"))
        #expect(try directory.status("record").mode == 0o640)
        #expect(scratch.tree() == ["record"])
    }

    @Test("a replacement that fails leaves the old content and no new file")
    func replaceFailure() throws {
        let scratch = try Scratch()
        let directory = try scratch.open()
        try scratch.makeDirectory("record/child")
        #expect(throws: Errno.self) { try directory.replaceFile("record", bytes("x")) }
        #expect(scratch.tree() == ["record", "record/child"])
    }

    @Test("status tells kind, size, owner and device numbers")
    func status() throws {
        let scratch = try Scratch()
        try scratch.make("f", "12345")
        try scratch.link("l", to: "nowhere")
        let directory = try scratch.open()
        #expect(try directory.status().kind == .directory)
        #expect(try directory.status("f").kind == .regular)
        #expect(try directory.status("f").size == 5)
        #expect(try directory.status("l").kind == .symlink)
        let null = try OwnedFD.open("/dev/null", .path).status()
        #expect(null.kind == .characterDevice)
        #expect(null.major == 1)
        #expect(null.minor == 3)
        #expect(try OwnedFD.open("/proc", .path).filesystemMagic() == .proc)
    }

    @Test("entries are all names but the dots, of any bytes, and bounded")
    func entries() throws {
        let scratch = try Scratch()
        let directory = try scratch.open()
        let names: [[UInt8]] = [[0xff, 0x0a], bytes("..a"), bytes("a b"), bytes(String(repeating: "n", count: 255))]
        for name in names { try directory.makeNode(Path(name), kind: .regular, mode: 0o600) }
        try directory.makeDirectory("d", mode: 0o700)
        let found = try directory.entries(max: 5)
        #expect(Set(found.map(\.name)) == Set(names + [bytes("d")]))
        #expect(found.first { $0.name == bytes("d") }?.kind == .directory)
        #expect(throws: Errno.fileTooLarge) { try directory.entries(max: 4) }
        // From the beginning again, whatever was read before.
        #expect(try directory.entries(max: 9).count == 5)
    }

    @Test("a symlink's text is read from its name and from its own descriptor")
    func symlinks() throws {
        let scratch = try Scratch()
        let directory = try scratch.open()
        try directory.makeSymlink("l", text: "a/b")
        #expect(try directory.readSymlink("l") == bytes("a/b"))
        #expect(try directory.open("l", [.path, .noFollow]).readSymlink("") == bytes("a/b"))
        #expect(throws: Errno.alreadyExists) { try directory.makeSymlink("l", text: "c") }
    }

    @Test("renaming without replacing keeps what is there")
    func rename() throws {
        let scratch = try Scratch()
        try scratch.make("a", "a")
        try scratch.make("b", "b")
        let directory = try scratch.open()
        #expect(throws: Errno.alreadyExists) { try directory.rename("a", to: "b", replacing: false) }
        #expect(try scratch.text("b") == "b")
        try directory.rename("a", to: "b")
        #expect(scratch.tree() == ["b"])
        #expect(try scratch.text("b") == "a")
    }

    @Test("a second lock of one file is refused at once")
    func lock() throws {
        let scratch = try Scratch()
        try scratch.make("lock")
        let directory = try scratch.open()
        let first = try directory.open("lock", .readOnly)
        let second = try directory.open("lock", .readOnly)
        try first.lock()
        #expect(throws: Errno.again) { try second.lock() }
        try first.close()
        try second.lock()
    }

    @Test("all bytes are written, however small the steps of the receiver")
    func writeAll() throws {
        let pipe = try Pipe()
        let content = [UInt8]((0..<400_000).map { UInt8(truncatingIfNeeded: $0) })
        let writer = try pipe.writing.duplicate().take()
        let thread = Thread {
            let fd = OwnedFD(taking: writer)
            do { try fd.writeAll(content) } catch { Issue.record("\(error)") }
        }
        thread.start()
        var received: [UInt8] = []
        while received.count < content.count { received += try pipe.reading.read(max: 8_191) }
        #expect(received == content)
    }

    @Test("a sealed file can be read and not be changed")
    func sealed() throws {
        let file = try MemoryFile.sealed(bytes("plan"), name: "plan")
        #expect(try MemoryFile.readSealed(file, max: 4) == bytes("plan"))
        #expect(throws: Errno.fileTooLarge) { try MemoryFile.readSealed(file, max: 3) }
        #expect(throws: Errno.badDescriptor) { try file.write([1]) }
        #expect(throws: Errno.notPermitted) { try file.reopen(.readWrite).writeAll([1]) }
    }

    @Test("a file without seals is refused where a sealed one is wanted")
    func unsealed() throws {
        let scratch = try Scratch()
        let file = try scratch.open().open("plan", [.create, .readWrite], mode: 0o600)
        try file.writeAll(bytes("plan"))
        // No seals on this file system at all.
        #expect(throws: Errno.invalidArgument) { try MemoryFile.readSealed(file, max: 100) }
        let shared = try OwnedFD.open("/dev/shm", [.directory, .readOnly])
        let name = Path("linux-test-\(getpid())")
        let inMemory = try shared.open(name, [.create, .readWrite, .exclusive], mode: 0o600)
        try shared.unlink(name)
        // On tmpfs, sealed against seals from its birth, but not against writers.
        #expect(throws: Errno.notPermitted) { try MemoryFile.readSealed(inMemory, max: 100) }
    }

    @Test("a sealed copy has the content of its source and no more than the bound")
    func sealedCopy() throws {
        let scratch = try Scratch()
        try scratch.make("f", String(repeating: "y", count: 300_000))
        let directory = try scratch.open()
        let copy = try MemoryFile.sealedCopy(of: directory.open("f", .readOnly), max: 300_000, name: "copy")
        #expect(try MemoryFile.readSealed(copy, max: 300_000).count == 300_000)
        #expect(throws: Errno.fileTooLarge) {
            _ = try MemoryFile.sealedCopy(of: directory.open("f", .readOnly), max: 299_999, name: "copy").status()
        }
    }
}
