import FoundationEssentials
import Linux
import Model

/// Small JSON files with a checksum: a record that was not written by us, or not completely, is never believed.
///
///     swiftlet-record 1 sha256:<64 digits>\n<JSON>
enum RecordFile {
    static let bytesMax = 16 << 20
    private static let head = Array("swiftlet-record 1 ".utf8)

    /// Replaces the file in one step.
    static func write(_ value: some Encodable, _ name: Path, in directory: SharedFD) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = Array(try encoder.encode(value))
        let content = head + Array(ContentHash.of(body).description.utf8) + [0x0a] + body
        do throws(Errno) { try directory.fd.replaceFile(name, content) } catch {
            throw ImageStoreError("write record", name.description, error)
        }
    }

    /// Nil where the file is damaged.
    static func read<Value: Decodable>(_ type: Value.Type, _ name: Path, in directory: SharedFD) throws -> Value? {
        let content: [UInt8]
        do throws(Errno) {
            content = try directory.fd.readFile(name, max: bytesMax)
        } catch {
            switch error {
            case .invalidArgument, .fileTooLarge, .tooManyLinks, .isDirectory: return nil
            default: throw ImageStoreError("read record", name.description, error)
            }
        }
        guard content.starts(with: head), let newline = content.firstIndex(of: 0x0a) else { return nil }
        let body = Array(content[(newline + 1)...])
        guard content[head.count..<newline].elementsEqual(ContentHash.of(body).description.utf8) else { return nil }
        // A checksum that fits means that we wrote it; what does not decode all the same is from a version that we are
        // not.
        do { return try JSONDecoder().decode(type, from: Data(body)) } catch { return nil }
    }
}
