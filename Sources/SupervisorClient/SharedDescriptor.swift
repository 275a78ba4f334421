package import Linux

/// A descriptor with several holders: closed when the last of them lets go.
///
/// `OwnedFD` has one owner and cannot cross a continuation; descriptors that arrive in answers can.
package final class SharedDescriptor: Sendable {
    package let fd: OwnedFD

    package init(_ fd: consuming OwnedFD) { self.fd = fd }
}
