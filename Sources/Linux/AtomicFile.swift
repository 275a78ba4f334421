import CLinux

extension OwnedFD {
    /// Replaces the file `name` of this directory in one step: written to `.<name>.new`, then renamed, so that a reader or a
    /// crash sees the old content or the new. With `durable` the content survives a power loss (fsync of file and directory).
    package func replaceFile(_ name: Path, _ content: [UInt8], mode: UInt32 = 0o600, durable: Bool = false)
        throws(Errno)
    {
        let temporary = Path(Path(".").bytes + name.bytes + Path(".new").bytes)
        do throws(Errno) {
            let file = try open(temporary, [.writeOnly, .create, .truncate, .noFollow], mode: mode)
            try file.writeAll(content)
            if durable { try file.synchronize() }
            try file.close()
            try rename(temporary, to: name)
        } catch {
            // The cause counts; a leftover is replaced by the next writer.
            do throws(Errno) { try unlink(temporary) } catch let second { _ = second }
            throw error
        }
        if durable { try synchronize() }
    }

    /// The content of a regular file of this directory; EFBIG when it is longer than `max`. Links are not followed.
    package func readFile(_ name: Path, max: Int) throws(Errno) -> [UInt8] {
        // Non-blocking: a FIFO in its place must not hang the reader.
        let file = try open(name, [.readOnly, .noFollow, .nonBlocking])
        if try file.status().kind != .regular { throw .invalidArgument }
        return try file.readToEnd(max: max)
    }
}
