/// A version of the CNI specification that we speak.
package struct CNIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package let patch: Int

    package static let supported: [CNIVersion] = [
        .init(0, 1, 0), .init(0, 2, 0), .init(0, 3, 0), .init(0, 3, 1), .init(0, 4, 0), .init(1, 0, 0), .init(1, 1, 0),
    ]
    /// What a configuration without `cniVersion` means.
    package static let unstated = CNIVersion(0, 1, 0)

    private init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Nil for a version that we do not speak.
    package init?(_ text: String) {
        guard let known = Self.supported.first(where: { $0.description == text }) else { return nil }
        self = known
    }

    package var description: String { "\(major).\(minor).\(patch)" }

    package static func < (a: CNIVersion, b: CNIVersion) -> Bool {
        (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch)
    }

    /// DEL and CHECK get the result of ADD (since 0.4.0).
    package var passesResultToDelete: Bool { self >= CNIVersion(0, 4, 0) }
    /// Plugins answer STATUS and GC (since 1.1.0).
    package var hasStatus: Bool { self >= CNIVersion(1, 1, 0) }
    /// Results have `ip4` and `ip6` in place of `ips` (before 0.3.0).
    package var hasOldResults: Bool { self < CNIVersion(0, 3, 0) }
}
