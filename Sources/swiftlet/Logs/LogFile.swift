import CLICore
import Foundation

/// A log file that is read while it grows, over rotations: the kubelet renames the file and has the runtime open a new one.
struct LogFile {
    private static let chunkBytes = 1 << 16
    /// Runtimes write at most 16 KiB a record; one without an end is cut here.
    private static let recordBytesMax = 1 << 20

    let path: String
    private var handle: FileHandle
    private var identity: UInt64
    private var position: UInt64 = 0
    private var unfinished: [UInt8] = []

    /// Opens the file.
    init(_ path: String) throws(Failure) {
        self.path = path
        guard let opened = try Self.open(path) else {
            throw Failure("read the log \"\(path)\": there is no such file on this machine")
        }
        (handle, identity) = opened
    }

    /// Goes to where the last `count` lines begin. Lines that were written in parts count once.
    mutating func seekToLast(_ count: Int) throws(Failure) {
        do {
            position = try LogTail.start(of: count, in: handle)
        } catch {
            throw Failure("read the log \"\(path)\": \(error)")
        }
    }

    /// Hands over the records that are there and not yet read, in pieces, each without its line's end.
    /// Returns whether there were any.
    mutating func read(_ body: ([ArraySlice<UInt8>]) throws -> Void) throws -> Bool {
        var found = try readToEnd(body)
        // What was written between the last read and the rotation is in the old file, so that is read to its end once more.
        while let next = try reopened() {
            found = try readToEnd(body) || found
            (handle, identity) = next
            position = 0
            unfinished = []
            found = try readToEnd(body) || found
        }
        return found
    }

    // MARK: - Files

    private mutating func readToEnd(_ body: ([ArraySlice<UInt8>]) throws -> Void) throws -> Bool {
        var found = false
        if try handle.seekToEnd() < position {
            position = 0
            unfinished = []
        }
        try handle.seek(toOffset: position)
        while let data = try handle.read(upToCount: Self.chunkBytes), !data.isEmpty {
            position += UInt64(data.count)
            unfinished.append(contentsOf: data)
            var records = unfinished.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let rest = records.popLast() ?? []
            if rest.count > Self.recordBytesMax {
                records.append(rest)
                unfinished = []
            } else {
                unfinished = Array(rest)
            }
            guard !records.isEmpty else { continue }
            found = true
            try body(records)
        }
        return found
    }

    /// The file now at the path, if it is another than the one that is open.
    private func reopened() throws(Failure) -> (FileHandle, UInt64)? {
        guard let current = Self.identity(of: path), current != identity else { return nil }
        return try Self.open(path)
    }

    private static func open(_ path: String) throws(Failure) -> (FileHandle, UInt64)? {
        // The file may be replaced between the two looks at it.
        for _ in 0..<10 {
            guard let before = identity(of: path) else { return nil }
            do {
                let handle = try FileHandle(forReadingFrom: URL(filePath: path))
                if identity(of: path) == before { return (handle, before) }
                try handle.close()
            } catch {
                if (error as? CocoaError)?.code == .fileReadNoSuchFile { continue }
                throw Failure("read the log \"\(path)\": \(error.localizedDescription)")
            }
        }
        return nil
    }

    private static func identity(of path: String) -> UInt64? {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return (attributes[.systemFileNumber] as? NSNumber)?.uint64Value
        } catch {
            return nil
        }
    }
}
