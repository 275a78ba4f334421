import Foundation
import Testing

@testable import Linux

@Suite("Errno")
struct ErrnoTests {
    @Test(
        "a number has the kernel's name and words",
        arguments: [
            (ENOENT, "ENOENT", "no such file or directory"), (EACCES, "EACCES", "permission denied"),
            (EINVAL, "EINVAL", "invalid argument"), (ELIBBAD, "ELIBBAD", "accessing a corrupted shared library"),
            (9_999, "errno 9999", "errno 9999"),
        ])
    func words(number: Int32, name: String, description: String) {
        #expect(Errno(number).name == name)
        #expect(Errno(number).description == description)
    }

    @Test("an interrupted call is repeated, and another failure is thrown")
    func interruption() throws {
        var calls = 0
        let result = try retrying {
            calls += 1
            return calls < 4 ? -Int(EINTR) : 7
        }
        #expect(result == 7)
        #expect(calls == 4)
        #expect(throws: Errno(EBADF)) { try retrying { -Int(EBADF) } }
    }
}

@Suite("Path")
struct PathTests {
    @Test("a NUL inside is refused instead of cutting the path short")
    func nul() throws {
        let scratch = try Scratch()
        try scratch.make("a")
        let directory = try scratch.open()
        #expect(throws: Errno.invalidArgument) { try directory.status(Path([0x61, 0, 0x62])) }
        #expect(throws: Errno.invalidArgument) { try directory.unlink(Path([0x61, 0])) }
        #expect(throws: Errno.invalidArgument) { try directory.rename("a", to: Path([0x62, 0])) }
        #expect(throws: Errno.invalidArgument) { try directory.makeSymlink("l", text: Path([0])) }
        #expect(scratch.tree() == ["a"])
    }

    @Test(
        "a component is appended after one slash",
        arguments: [("/", "a", "/a"), ("/a", "b", "/a/b"), ("/a/", "b/c", "/a/b/c"), ("", "b", "/b")])
    func appending(path: String, component: String, result: String) {
        #expect(Path(path).appending(Path(component)).description == result)
    }

    @Test("the longest path the kernel takes is 4,095 bytes")
    func longest() {
        #expect(throws: Errno.nameTooLong) {
            _ = try OwnedFD.open(Path("/" + String(repeating: "./", count: 2_048)), [.readOnly]).status()
        }
        #expect(throws: Never.self) {
            _ = try OwnedFD.open(Path("/" + String(repeating: "./", count: 2_047)), [.readOnly]).status()
        }
    }
}
