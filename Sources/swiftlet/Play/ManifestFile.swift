import CLICore
import Foundation
import Play

/// Reads the file that `play` is given.
enum ManifestFile {
    private static let bytesMax = 4 << 20

    /// The manifest and what of it cannot be honoured. Every mistake is said, with the file, the line and the field.
    static func read(_ path: String, lenient: Bool, console: Console) throws -> Manifest {
        let text = try self.text(path)
        let name = path == "-" ? "standard input" : path
        let problems = ManifestProblems()
        var manifest = Manifest()
        do throws(ManifestError) {
            manifest = try ManifestReader.read(text, problems)
        } catch {
            problems.errors.append(error.description)
        }
        if problems.errors.isEmpty { manifest.checkReferences(problems) }
        let refused = lenient ? problems.errors : problems.errors + problems.unhonoured
        if lenient {
            for field in problems.unhonoured {
                try console.err("swiftlet: \(printable("\(name): \(field)")): left out\n")
            }
        }
        guard let last = refused.last else { return manifest }
        for problem in refused.dropLast() { try console.err("swiftlet: \(printable("\(name): \(problem)"))\n") }
        let hint = problems.errors.isEmpty ? " (--lenient runs the pods without such fields)" : ""
        throw Failure("\(name): \(last)\(hint)")
    }

    /// The namespaces and names of the pods of a file, whatever else is wrong with it.
    static func pods(_ path: String) throws -> Set<String> {
        do {
            let pods = try ManifestReader.read(try text(path), ManifestProblems()).pods
            return Set(pods.map { "\($0.namespace)/\($0.name)" })
        } catch let error as ManifestError {
            throw Failure("\(path): \(error)")
        }
    }

    private static func text(_ path: String) throws(Failure) -> String {
        let bytes: Data?
        do {
            let file = try path == "-" ? .standardInput : FileHandle(forReadingFrom: URL(filePath: path))
            bytes = try file.read(upToCount: bytesMax + 1)
        } catch {
            throw Failure("read \"\(path)\": \(error.localizedDescription)")
        }
        guard let bytes else { return "" }
        guard bytes.count <= bytesMax else {
            throw Failure("read \"\(path)\": it is larger than \(bytesMax >> 20) MiB")
        }
        guard let text = String(bytes: bytes, encoding: .utf8) else {
            throw Failure("read \"\(path)\": it is not UTF-8 text")
        }
        return text
    }
}
