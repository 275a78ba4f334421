import CLinux

/// Whole pages of memory of its own, outside of the heap: given back to the kernel when they are not needed.
@safe @usableFromInline package struct PageBuffer: ~Copyable {
    private let memory: UnsafeMutableRawPointer
    package let capacity: Int
    /// Bytes in use, from the beginning.
    package private(set) var count = 0

    package init(capacity: Int) throws(Errno) {
        guard capacity > 0, let mapped = unsafe cl_map(capacity) else { throw .noMemory }
        unsafe memory = unsafe mapped
        self.capacity = capacity
    }

    // Inlinable: Embedded Swift must see what an imported value does at its end.
    @inlinable deinit { unmap() }

    // The one mapping of this value, with the size it was made with.
    @usableFromInline func unmap() { unsafe cl_unmap(memory, capacity) }

    package var room: Int { capacity - count }

    package mutating func removeAll() { count = 0 }

    /// Drops the content and the pages behind it; the buffer can be used again at once.
    package mutating func giveBackPages() {
        count = 0
        // Private anonymous memory reads as zeros afterwards. A refusal costs memory only.
        _ = unsafe cl_forget_pages(memory, capacity)
    }

    /// One read(2) behind the content; 0 is the end of the file, or no room.
    package mutating func read(from fd: borrowing OwnedFD) throws(Errno) -> Int {
        let raw = fd.raw
        let size = room
        // The kernel writes at most `room` bytes behind the `count` in use.
        let length = try retrying { unsafe cl_read(raw, memory + count, size) }
        count += length
        return length
    }

    /// One write(2) of the content from `start` on, up to `end` where that comes first: the number of bytes that were taken.
    package func write(to fd: borrowing OwnedFD, from start: Int = 0, upTo end: Int = .max) throws(Errno) -> Int {
        let last = min(count, end)
        guard start >= 0, start <= last else { throw .invalidArgument }
        let raw = fd.raw
        // The kernel reads only what is in use.
        return try retrying { unsafe cl_write(raw, memory + start, last - start) }
    }

    /// The first place of a byte in `start..<count`.
    package func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start >= 0, start < count else { return nil }
        // memchr(3) looks only at what is in use; its answer lies there.
        guard let found = unsafe memchr(memory + start, Int32(byte), count - start) else { return nil }
        return unsafe UnsafeMutableRawPointer(found) - memory
    }

    /// The byte at a place in use, else nil.
    package func byte(at index: Int) -> UInt8? {
        guard index >= 0, index < count else { return nil }
        // Checked on the line before.
        return unsafe memory.load(fromByteOffset: index, as: UInt8.self)
    }

    /// The bytes of a range, cut to what is in use.
    package func bytes(_ range: Range<Int>) -> [UInt8] {
        let part = range.clamped(to: 0..<count)
        // Cut on the line before.
        return unsafe [UInt8](UnsafeRawBufferPointer(start: memory + part.lowerBound, count: part.count))
    }

    /// Appends; false, and nothing is done, where there is no room.
    package mutating func append(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= room else { return false }
        // There is room, and the two do not overlap.
        unsafe bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe (memory + count).copyMemory(from: base, byteCount: source.count) }
        }
        count += bytes.count
        return true
    }

    package mutating func append(_ byte: UInt8) -> Bool {
        guard room > 0 else { return false }
        // There is room.
        unsafe memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
        return true
    }

    /// Appends a range of another buffer, cut to what is in use there; false where there is no room.
    package mutating func append(_ other: borrowing PageBuffer, _ range: Range<Int>) -> Bool {
        let part = range.clamped(to: 0..<other.count)
        guard part.count <= room else { return false }
        // Two buffers never share memory; both ends were checked.
        unsafe (memory + count).copyMemory(from: other.memory + part.lowerBound, byteCount: part.count)
        count += part.count
        return true
    }
}

/// The heap of the C library.
package enum Heap {
    /// malloc_trim(3): free pages go back to the kernel.
    package static func trim() { cl_trim_heap() }
}
