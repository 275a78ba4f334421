/// The USER of an image's configuration, or a user as a pod names it: `name`, `uid`, `name:group`, `uid:gid` and so on.
///
/// A part of decimal digits is a number and never a name; a number that is out of range is wrong, and is no name either
/// (CVE-2024-40635, CVE-2026-46680).
package struct ImageUserName: Sendable, Equatable {
    package enum Part: Sendable, Equatable {
        case number(UInt32)
        case name(String)
        /// Digits that are no id, or a text that can be neither name nor number.
        case invalid(String)
    }

    package var user: Part
    /// Nil where only a user is given.
    package var group: Part?

    /// Ids above are kept for the kernel's and the tools' own signed arithmetic; containerd has the same bound.
    package static let idMax: UInt32 = 0x7fff_ffff

    package init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let first = parts.first.map(String.init) ?? ""
        user = first.isEmpty ? .number(0) : Self.part(first)
        group = parts.count == 2 && !parts[1].isEmpty ? Self.part(String(parts[1])) : nil
    }

    private static func part(_ text: String) -> Part {
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let number = UInt32(text), number <= idMax else { return .invalid(String(text.prefix(64))) }
            return .number(number)
        }
        // As in passwd(5): no colon, no control character, and no sign in front, which would be a number.
        let isName =
            text.utf8.count <= 256 && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != 0x3a }
            && text.utf8.first != UInt8(ascii: "-") && text.utf8.first != UInt8(ascii: "+")
        return isName ? .name(text) : .invalid(String(text.prefix(64)))
    }
}
