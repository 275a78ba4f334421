import Linux

/// A descriptor that several values may hold; it is closed with the last of them.
final class SharedFD: Sendable {
    let fd: OwnedFD

    init(_ fd: consuming OwnedFD) { self.fd = fd }
}
