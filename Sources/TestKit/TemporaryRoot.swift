import Foundation

/// A directory of one test's own (mode 0700), removed with everything in it when the last reference goes.
package final class TemporaryRoot: Sendable {
    package let path: String

    /// - Parameter parent: where it is made; the system's temporary directory by default.
    package init(_ name: String = "swiftlet-test", in parent: String? = nil) throws {
        let parent = parent ?? (NSTemporaryDirectory() as NSString).standardizingPath
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestFailure("make a directory below \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("remove \(path): \(error)") }
    }

    /// The path of something in this directory.
    package func path(_ relative: String) -> String { path + "/" + relative }

    /// Makes a directory with its parents.
    @discardableResult
    package func directory(_ relative: String, mode: Int = 0o755) throws -> String {
        let made = path(relative)
        try FileManager.default.createDirectory(
            atPath: made, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
        return made
    }

    /// Writes a file; its directory has to be there.
    @discardableResult
    package func write(_ text: String, to relative: String, mode: Int = 0o644) throws -> String {
        try write(Array(text.utf8), to: relative, mode: mode)
    }

    /// Writes a file; its directory has to be there.
    @discardableResult
    package func write(_ bytes: [UInt8], to relative: String, mode: Int = 0o644) throws -> String {
        let file = path(relative)
        guard
            FileManager.default.createFile(
                atPath: file, contents: Data(bytes), attributes: [.posixPermissions: mode])
        else { throw TestFailure("write \(file)") }
        return file
    }

    package func read(_ relative: String) throws -> [UInt8] { try readFile(path(relative)) }

    package func text(_ relative: String) throws -> String { String(decoding: try read(relative), as: UTF8.self) }

    /// Every path below this directory, sorted.
    package func tree() -> [String] { listTree(path) }
}

/// The bytes of a file, special files of procfs included: one of a process that goes meanwhile throws.
package func readFile(_ path: String) throws -> [UInt8] {
    guard let file = FileHandle(forReadingAtPath: path) else { throw TestFailure("open \(path)") }
    defer { file.closeFile() }
    return Array(try file.readToEnd() ?? Data())
}

/// Every path below a directory, relative to it and sorted; links are not followed.
package func listTree(_ path: String) -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: path) else { return [] }
    return walk.compactMap { $0 as? String }.sorted()
}
