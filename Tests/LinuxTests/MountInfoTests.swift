import Foundation
import Testing

@testable import Linux

@Suite("MountInfo")
struct MountInfoTests {
    @Test("fields, peer groups and escapes are read")
    func line() throws {
        let text =
            #"36 35 98:0 /a\040b /mnt\011x\134y rw,noatime shared:7 master:1 propagate_from:3 - ext3 /dev/root rw,errors=continue"#
        let mount = try #require(MountInfo.parse(bytes(text)).first)
        #expect(mount.id == 36)
        #expect(mount.parent == 35)
        #expect(mount.major == 98)
        #expect(mount.minor == 0)
        #expect(mount.root == bytes("/a b"))
        #expect(mount.mountPoint == bytes("/mnt\tx\\y"))
        #expect(mount.options == bytes("rw,noatime"))
        #expect(mount.sharedGroup == 7)
        #expect(mount.masterGroup == 1)
        #expect(mount.type == bytes("ext3"))
        #expect(mount.source == bytes("/dev/root"))
        #expect(mount.superOptions == bytes("rw,errors=continue"))
    }

    @Test(
        "a line that is not one is skipped",
        arguments: [
            "", "1 2 3", "a 35 98:0 / / rw - ext3 x rw", "36 35 98 / / rw - ext3 x rw",
            "36 35 98:0 / / rw ext3 x rw rw",
            "36 35 98:99999999999 / / rw - ext3 x rw", "99999999999999999999 35 98:0 / / rw - ext3 x rw",
        ])
    func broken(line: String) {
        let good = "1 2 3:4 / / rw - tmpfs none rw"
        #expect(MountInfo.parse(bytes(line + "\n" + good + "\n")).map(\.type) == [bytes("tmpfs")])
    }

    @Test("any bytes give a result")
    func total() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = bytes("0123456789 :/-\\\n rw,shared:")
        for _ in 0..<2_000 {
            let count = Int.random(in: 0..<200, using: &generator)
            let text = (0..<count).map { _ in
                Bool.random(using: &generator)
                    ? (alphabet.randomElement(using: &generator) ?? 0) : UInt8.random(in: 0...255)
            }
            _ = MountInfo.parse(text)
        }
    }

    @Test("the own table has a root, and a cgroup2 mount point is one of it")
    func own() throws {
        let mounts = try MountInfo.current()
        #expect(mounts.contains { $0.mountPoint == bytes("/") })
        if let point = try MountInfo.cgroup2MountPoint() {
            #expect(mounts.contains { $0.mountPoint == point && $0.type == bytes("cgroup2") })
        }
        #expect(throws: Errno.fileTooLarge) { try MountInfo.current(max: 10) }
    }
}

@Suite("PageBuffer")
struct PageBufferTests {
    @Test("content is read, searched, appended and written within the capacity")
    func content() throws {
        var buffer = try PageBuffer(capacity: 16)
        let pipe = try Pipe()
        try pipe.writing.writeAll(bytes("hello\nworld\nand more"))
        let appended = buffer.append(bytes("> "))
        #expect(appended)
        #expect(try buffer.read(from: pipe.reading) == 14)
        #expect(buffer.count == 16)
        #expect(buffer.bytes(0..<buffer.count) == bytes("> hello\nworld\nan"))
        #expect(buffer.firstIndex(of: 0x0a, from: 0) == 7)
        #expect(buffer.firstIndex(of: 0x0a, from: 8) == 13)
        #expect(buffer.firstIndex(of: 0x0a, from: 14) == nil)
        #expect(buffer.firstIndex(of: 0x0a, from: -1) == nil)
        #expect(buffer.firstIndex(of: 0x0a, from: 99) == nil)
        #expect(buffer.byte(at: 2) == UInt8(ascii: "h"))
        #expect(buffer.byte(at: 16) == nil)
        #expect(buffer.byte(at: -1) == nil)
        #expect(buffer.bytes(10..<99) == bytes("rld\nan"))
        let full = buffer.append(0x21)
        #expect(!full)
        let over = buffer.append([1])
        #expect(!over)

        var copy = try PageBuffer(capacity: 8)
        let tooLarge = copy.append(buffer, 0..<16)
        #expect(!tooLarge)
        let part = copy.append(buffer, 2..<7)
        #expect(part)
        #expect(copy.bytes(0..<8) == bytes("hello"))
        #expect(try copy.write(to: pipe.writing, from: 1) == 4)
        #expect(throws: Errno.invalidArgument) { try copy.write(to: pipe.writing, from: 6) }

        buffer.giveBackPages()
        #expect(buffer.count == 0)
        let again = buffer.append(bytes("again"))
        #expect(again)
        #expect(buffer.bytes(0..<5) == bytes("again"))
    }
}
