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

    /// Replaces the file `name` of this directory in one step and keeps what was there as `spare`, whose own content is lost.
    ///
    /// For files that are written often and need not survive a power loss whole: the two files change names
    /// (RENAME_EXCHANGE), and the spare is written over in place. A rename onto a file, and a truncation to nothing, make ext4
    /// start to write the new content out at once and wait for the queue of the disk ("auto_da_alloc", ext4(5)): most of a
    /// millisecond for a record of a few kilobytes, against less than a tenth.
    package func replaceFile(_ name: Path, keeping spare: Path, _ content: [UInt8], mode: UInt32 = 0o600) throws(Errno)
    {
        let file = try open(spare, [.writeOnly, .create, .noFollow], mode: mode)
        try file.writeAll(content)
        try file.truncate(to: Int64(content.count))
        try file.close()
        do throws(Errno) {
            try exchange(spare, with: name)
        } catch {
            // There is nothing to exchange with, or the filesystem cannot.
            guard error == .noEntry || error == .invalidArgument else { throw error }
            try rename(spare, to: name)
        }
    }

    /// The content of a regular file of this directory; EFBIG when it is longer than `max`. Links are not followed.
    package func readFile(_ name: Path, max: Int) throws(Errno) -> [UInt8] {
        // Non-blocking: a FIFO in its place must not hang the reader.
        let file = try open(name, [.readOnly, .noFollow, .nonBlocking])
        if try file.status().kind != .regular { throw .invalidArgument }
        return try file.readToEnd(max: max)
    }
}
