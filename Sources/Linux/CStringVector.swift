/// Texts as execve(2) wants them: an array of pointers to NUL-terminated bytes that ends with a null pointer.
struct CStringVector {
    /// All texts, each with its NUL.
    private var storage: [CChar] = []
    private var offsets: [Int] = []
    /// False when a text has a NUL inside: C would see only a part of it.
    private(set) var isWhole = true

    init(_ texts: [[UInt8]]) {
        var size = 0
        for text in texts { size += text.count + 1 }
        storage.reserveCapacity(size)
        offsets.reserveCapacity(texts.count)
        for text in texts {
            offsets.append(storage.count)
            for byte in text {
                if byte == 0 { isWhole = false }
                storage.append(CChar(bitPattern: byte))
            }
            storage.append(0)
        }
    }

    /// Lends the vector. C declares it without const, but neither execve(2) nor posix_spawn(3) writes to it.
    func withPointers<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        unsafe storage.withUnsafeBufferPointer { bytes in
            let first = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress)
            var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
            unsafe pointers.reserveCapacity(offsets.count + 1)
            // Every offset lies inside the storage, which does not move while it is lent.
            for offset in offsets { unsafe pointers.append(first.map { unsafe $0 + offset }) }
            unsafe pointers.append(nil)
            return unsafe pointers.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { preconditionFailure("a vector is never empty") }
                return unsafe body(base)
            }
        }
    }
}
