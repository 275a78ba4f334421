package import LaunchProtocol
package import Linux

/// Why an exit record on disk cannot be used.
package enum ExitRecordError: Error, Equatable, Sendable {
    case unreadable(Errno)
    /// Torn, altered, or of another process.
    case damaged(WireError)
    case anotherProcess
}

/// What supervisors wrote about ended processes, in the directory that they were given at birth.
package enum ExitRecords {
    /// The record of one process; nil where it has none, as while it runs.
    package static func read(
        _ process: Bytes, in directory: borrowing OwnedFD
    ) throws(ExitRecordError) -> ExitRecord? {
        guard Wire.isName(process) else { throw .damaged(.badValue) }
        let content: Bytes
        do throws(Errno) {
            content = try directory.readFile(Path(ExitFile.name(of: process)), max: WireLimits.exitFileBytes)
        } catch {
            if error == .noEntry { return nil }
            throw .unreadable(error)
        }
        let record: ExitRecord
        do throws(WireError) { record = try ExitFile.decode(content) } catch { throw .damaged(error) }
        guard record.process == process else { throw .anotherProcess }
        return record
    }
}
