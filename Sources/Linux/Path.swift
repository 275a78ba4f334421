import CLinux

/// A path as the kernel takes it: any bytes but NUL, at most 4,095 of them.
///
/// Both limits are checked at the call that uses it: EINVAL for a NUL inside, ENAMETOOLONG by the kernel.
package struct Path: Sendable, Equatable, Hashable, ExpressibleByStringLiteral {
    /// With the terminating NUL.
    private let terminated: [UInt8]

    package init(_ bytes: [UInt8]) { terminated = bytes + [0] }

    package init(_ bytes: ArraySlice<UInt8>) { terminated = bytes + [0] }

    package init(_ text: String) { terminated = Array(text.utf8) + [0] }

    package init(stringLiteral text: StaticString) {
        // A literal's bytes are constant and as many as it says.
        terminated = text.withUTF8Buffer { unsafe Array($0) } + [0]
    }

    /// The bytes without the terminating NUL.
    package var bytes: [UInt8] { Array(terminated.dropLast()) }

    package var isAbsolute: Bool { terminated[0] == UInt8(ascii: "/") }

    /// This path, a slash, and `component`.
    package func appending(_ component: Path) -> Path {
        var joined = bytes
        if joined.last != UInt8(ascii: "/") { joined.append(UInt8(ascii: "/")) }
        return Path(joined + component.bytes)
    }

    /// Calls with the path as a C string until no signal interrupts the call.
    @discardableResult
    func call(_ body: (CPath) -> Int) throws(Errno) -> Int {
        guard isWhole else { throw .invalidArgument }
        return try retrying {
            unsafe terminated.withUnsafeBufferPointer { buffer in
                // Never empty: there is at least the NUL; CChar and UInt8 have one layout.
                guard let base = buffer.baseAddress else { return -Int(EINVAL) }
                return unsafe UnsafeRawPointer(base).withMemoryRebound(to: CChar.self, capacity: buffer.count) {
                    body(unsafe CPath(pointer: $0))
                }
            }
        }
    }

    /// As `call`, with -errno for a result: for a second path inside the call of a first one.
    func nested(_ body: (CPath) -> Int) -> Int {
        do throws(Errno) { return try call(body) } catch { return -Int(error.number) }
    }

    /// Whether C reads all of it.
    private var isWhole: Bool {
        for index in 0..<(terminated.count - 1) where terminated[index] == 0 { return false }
        return true
    }
}

/// A path lent to C: valid inside the closure that was given it.
@safe struct CPath {
    let pointer: UnsafePointer<CChar>
}

#if !hasFeature(Embedded)
    extension Path: CustomStringConvertible {
        package var description: String { String(decoding: terminated.dropLast(), as: UTF8.self) }
    }
#endif
