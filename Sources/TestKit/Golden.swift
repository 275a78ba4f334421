import Foundation

/// Files that hold what a program is expected to write.
package enum Golden {
    /// Whether this run writes goldens (`UPDATE_GOLDENS=1`); the diff is then reviewed like code.
    package static var isUpdating: Bool { ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" }

    /// `Tests/Fixtures/<relative>`, found from the path of a source file of the package.
    package static func fixture(_ relative: String, from file: String = #filePath) -> String {
        guard
            let tests = file.range(of: "/Tests/", options: .backwards)
                ?? file.range(of: "/Sources/", options: .backwards)
        else { return relative }
        return file[..<tests.lowerBound] + "/Tests/Fixtures/" + relative
    }

    /// Compares text with a golden file, or writes it. `frozen` files are written once and never again: they stand for what
    /// released programs wrote.
    package static func check(_ actual: String, with path: String, frozen: Bool = false) throws {
        let exists = FileManager.default.fileExists(atPath: path)
        if isUpdating && !(frozen && exists) {
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try actual.write(toFile: path, atomically: true, encoding: .utf8)
            return
        }
        guard exists else { throw TestFailure("\(path) is missing; run once with UPDATE_GOLDENS=1") }
        let expected = String(decoding: try readFile(path), as: UTF8.self)
        guard actual != expected else { return }
        throw TestFailure("\(path) differs from what was made:\n" + lineDifference(expected, actual))
    }

    /// The lines that differ, `-` for expected and `+` for actual, at most 40 of them.
    package static func lineDifference(_ expected: String, _ actual: String) -> String {
        let old = expected.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let new = actual.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let changes = new.difference(from: old).map { change in
            switch change {
            case .insert(let offset, let line, _): (offset, "+\(offset + 1): \(line)")
            case .remove(let offset, let line, _): (offset, "-\(offset + 1): \(line)")
            }
        }
        return changes.sorted { $0.0 < $1.0 }.prefix(40).map(\.1).joined(separator: "\n")
    }
}

/// Bytes as lower-case hexadecimal text, 32 a line, with a last newline.
package func hexText(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    var text = ""
    for (index, byte) in bytes.enumerated() {
        if index > 0 && index % 32 == 0 { text.append("\n") }
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return text + "\n"
}

/// The bytes of hexadecimal text; white space is skipped.
package func bytesOfHex(_ text: String) throws -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.map { $0.hexDigitValue }
    guard digits.count % 2 == 0, !digits.contains(nil) else { throw TestFailure("not hexadecimal text") }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8((digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0)) }
}
