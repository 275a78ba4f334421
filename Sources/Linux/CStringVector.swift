/// Texts as execve(2) wants them: an array of pointers to NUL-terminated bytes that ends with a null pointer.
@safe @usableFromInline struct CStringVector: ~Copyable {
    /// `count` pointers into `storage`, then null.
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let storage: UnsafeMutablePointer<CChar>

    /// EINVAL for a text with a NUL inside: C would see only a part of it.
    init(_ texts: [[UInt8]]) throws(Errno) {
        var size = 1
        for text in texts {
            if text.contains(0) { throw .invalidArgument }
            size += text.count + 1
        }
        // Both blocks live and die with this value; every index below stays within the sizes just counted.
        unsafe storage = .allocate(capacity: size)
        unsafe pointers = .allocate(capacity: texts.count + 1)
        var at = 0
        for index in 0..<texts.count {
            unsafe pointers[index] = unsafe storage + at
            for byte in texts[index] {
                unsafe storage[at] = CChar(bitPattern: byte)
                at += 1
            }
            unsafe storage[at] = 0
            at += 1
        }
        unsafe pointers[texts.count] = nil
    }

    // Inlinable: Embedded Swift must see what an imported value does at its end.
    @inlinable deinit { deallocate() }

    // Nothing else frees the two blocks.
    @usableFromInline func deallocate() {
        unsafe pointers.deallocate()
        unsafe storage.deallocate()
    }
}
