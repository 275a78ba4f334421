/// An IP address as text that was checked to be one.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    package enum Family: Sendable { case v4, v6 }

    package let family: Family
    package let text: String
    package var description: String { text }

    /// Nil where `text` is neither dotted decimal nor an IPv6 address of RFC 4291 (no zone).
    package init?(_ text: some StringProtocol) {
        if Self.isV4(text) {
            family = .v4
        } else if Self.isV6(text) {
            family = .v6
        } else {
            return nil
        }
        self.text = String(text)
    }

    /// Nil where `text` is not an address, a slash and a prefix length.
    package static func network(_ text: some StringProtocol) -> (address: IPAddress, prefixLength: Int)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]),
            let length = decimal(parts[1], max: address.family == .v4 ? 32 : 128)
        else { return nil }
        return (address, length)
    }

    private static func decimal(_ text: some StringProtocol, max: Int) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int(text),
            value <= max
        else { return nil }
        return value
    }

    private static func isV4(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { decimal($0, max: 255) != nil && ($0.utf8.count == 1 || !$0.hasPrefix("0")) }
    }

    private static func isV6(_ text: some StringProtocol) -> Bool {
        guard text.utf8.count <= 45 else { return false }
        // Both halves around "::" are lists; without it there is one list of eight groups.
        var halves: [Substring] = []
        var rest = Substring(text)
        var index = rest.startIndex
        while index < rest.endIndex {
            if rest[index...].hasPrefix("::") {
                halves.append(rest[..<index])
                rest = rest[rest.index(index, offsetBy: 2)...]
                index = rest.startIndex
            } else {
                index = rest.index(after: index)
            }
        }
        halves.append(rest)
        guard halves.count <= 2 else { return false }
        var groups = 0
        for (number, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (position, part) in parts.enumerated() {
                let isLast = number == halves.count - 1 && position == parts.count - 1
                if isLast, isV4(part) {
                    groups += 2
                } else if (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimal) {
                    groups += 1
                } else {
                    return false
                }
            }
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
