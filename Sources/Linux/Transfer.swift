import CLinux

extension OwnedFD {
    /// The corresponding C function is `read`; 0 is the end.
    package func read(into span: inout MutableRawSpan) throws(Errno) -> Int {
        try retrying {
            // The kernel writes at most as many bytes as the span has.
            unsafe span.withUnsafeMutableBytes { unsafe cl_read(raw, $0.baseAddress, $0.count) }
        }
    }

    /// At most `max` bytes of one read(2); none is the end.
    package func read(max: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
            do throws(Errno) {
                // The kernel fills a front part of the buffer and says how much.
                count = try retrying { unsafe cl_read(raw, buffer.baseAddress, max) }
            } catch {
                count = 0
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Everything up to the end; EFBIG when that is more than `max` bytes.
    package func readToEnd(max: Int) throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let part = try read(max: min(max - all.count + 1, 65536))
            if part.isEmpty { return all }
            all += part
            if all.count > max { throw .fileTooLarge }
        }
    }

    /// The corresponding C function is `pread`.
    package func read(max: Int, at offset: Int64) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
            do throws(Errno) {
                // As in `read(max:)`.
                count = try retrying { unsafe cl_pread(raw, buffer.baseAddress, max, offset) }
            } catch {
                count = 0
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The corresponding C function is `write`: the number of bytes that were taken.
    package func write(_ span: RawSpan) throws(Errno) -> Int {
        // The kernel reads only what the span has.
        try retrying { unsafe span.withUnsafeBytes { unsafe cl_write(raw, $0.baseAddress, $0.count) } }
    }

    /// The corresponding C function is `write`: the number of bytes that were taken.
    @discardableResult
    package func write(_ bytes: [UInt8]) throws(Errno) -> Int { try write(bytes, from: 0) }

    /// As above, without the bytes before `start`.
    package func write(_ bytes: [UInt8], from start: Int) throws(Errno) -> Int {
        guard start >= 0, start <= bytes.count else { throw .invalidArgument }
        // The kernel reads only what lies between `start` and the end.
        return try retrying {
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe cl_write(raw, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
            }
        }
    }

    /// Writes all bytes, with as many calls as it takes.
    package func writeAll(_ bytes: [UInt8]) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let taken = try write(bytes, from: done)
            if taken == 0 { throw .noSpace }
            done += taken
        }
    }

    /// The corresponding C function is `lseek` with SEEK_SET.
    package func seek(to offset: Int64) throws(Errno) { try check(cl_lseek(raw, offset, 0)) }

    package func truncate(to size: Int64) throws(Errno) { try retrying { cl_ftruncate(raw, size) } }

    package func synchronize() throws(Errno) { try retrying { cl_fsync(raw) } }

    /// flock(2), exclusive and without waiting: EAGAIN when another open file holds it.
    package func lock() throws(Errno) { try retrying { cl_lock(raw) } }
}

extension StandardStream {
    /// Writes all bytes to a descriptor that the process was started with, and that is not its own to close.
    package func write(_ bytes: [UInt8]) throws(Errno) {
        let lent = OwnedFD(taking: rawValue)
        do throws(Errno) { try lent.writeAll(bytes) } catch {
            _ = lent.take()
            throw error
        }
        _ = lent.take()
    }
}
