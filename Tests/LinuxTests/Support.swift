import Foundation
import Testing

@testable import Linux

/// A directory of one test's own, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "linux-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("remove \(path): \(error)") }
    }

    func open() throws(Errno) -> OwnedFD { try OwnedFD.open(Path(path), [.readOnly, .directory]) }

    func make(_ name: String, _ content: String = "") throws {
        guard FileManager.default.createFile(atPath: path + "/" + name, contents: Data(content.utf8)) else {
            throw Errno(EIO)
        }
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
    }

    func link(_ name: String, to text: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: text)
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    /// Every path below, sorted.
    func tree(_ name: String = "") -> [String] {
        let all = FileManager.default.enumerator(atPath: path + "/" + name)
        return (all?.compactMap { $0 as? String } ?? []).sorted()
    }
}

// Foundation and Testing have types of these names too.
typealias Pipe = Linux.Pipe
typealias Timer = Linux.Timer
typealias ExitStatus = Linux.ExitStatus

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Whether a descriptor number is open in this process.
func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

func isCloseOnExec(_ fd: borrowing OwnedFD) -> Bool { fd.withRaw { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 } }
