import Linux
import Synchronization

/// The directory that an operator or a network add-on puts the node's network configuration into.
///
/// It is read anew at every use, which costs a listing and one small file: so a change is seen at once, the directory
/// may come into being later, and no watcher can lose an event. Only parsing is kept, as long as the bytes stay the
/// same.
final class ConfigurationDirectory: Sendable {
    let path: String

    private struct Parsed {
        var file: String
        var bytes: [UInt8]
        var outcome: Result<NetworkConfiguration, CNIError>
    }

    private static let fileMax = 1 << 20
    private let parsed = Mutex<Parsed?>(nil)

    init(path: String) { self.path = path }

    /// The first `*.conflist`, `*.conf` or `*.json` by name. A first file that is no configuration is an error, never
    /// skipped: a pod on another network than the intended one is worse than a pod that waits.
    func load() throws(CNIError) -> NetworkConfiguration {
        // A file that goes between the listing and the reading is a change in progress: look again.
        for _ in 0..<3 {
            guard let file = try firstFile() else { throw .notConfigured(directory: path) }
            if let bytes = try read(file) { return try parse(file, bytes) }
        }
        throw .notConfigured(directory: path)
    }

    private func parse(_ file: String, _ bytes: [UInt8]) throws(CNIError) -> NetworkConfiguration {
        let known = parsed.withLock { parsed in
            guard let parsed, parsed.file == file, parsed.bytes == bytes else {
                return Result<NetworkConfiguration, CNIError>?.none
            }
            return parsed.outcome
        }
        if let known { return try known.get() }
        let outcome = Result { () throws(CNIError) in try NetworkConfiguration(parsing: bytes, file: path + "/" + file)
        }
        parsed.withLock { $0 = Parsed(file: file, bytes: bytes, outcome: outcome) }
        return try outcome.get()
    }

    private func firstFile() throws(CNIError) -> String? {
        let entries: [DirectoryEntry]
        do throws(Errno) {
            entries = try OwnedFD.open(Path(path), [.readOnly, .directory]).entries(max: 65536)
        } catch {
            if error == .noEntry { return nil }
            throw .system(operation: "list", path: path, errno: error)
        }
        return entries.filter { $0.kind != .directory }.map { String(decoding: $0.name, as: UTF8.self) }
            .filter { name in !name.hasPrefix(".") && [".conflist", ".conf", ".json"].contains { name.hasSuffix($0) } }
            .min { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Links are followed: the directory belongs to root, and add-ons do link into it. Nil when the file is gone.
    private func read(_ file: String) throws(CNIError) -> [UInt8]? {
        let place = path + "/" + file
        let bytes: [UInt8]?
        do throws(Errno) {
            // Non-blocking: a FIFO in its place must not hang us.
            let handle = try OwnedFD.open(Path(place), [.readOnly, .nonBlocking])
            bytes = try handle.status().kind == .regular ? handle.readToEnd(max: Self.fileMax) : nil
        } catch {
            if error == .noEntry { return nil }
            if error == .fileTooLarge {
                throw .badConfiguration(file: place, reason: "larger than \(Self.fileMax) bytes")
            }
            throw .system(operation: "read", path: place, errno: error)
        }
        guard let bytes else { throw .badConfiguration(file: place, reason: "not a regular file") }
        return bytes
    }
}
