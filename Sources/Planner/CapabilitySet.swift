import CCap

/// Capabilities of a process as a mask, bit N standing for capability N (capabilities(7)).
package struct CapabilitySet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let dacOverride = CapabilitySet(rawValue: 1 << 1)
    package static let dacReadSearch = CapabilitySet(rawValue: 1 << 2)
    package static let sysAdmin = CapabilitySet(rawValue: 1 << 21)
    package static let sysResource = CapabilitySet(rawValue: 1 << 24)

    /// All that a kernel with this `/proc/sys/kernel/cap_last_cap` knows.
    package static func all(upTo last: Int) -> CapabilitySet {
        CapabilitySet(rawValue: last >= 63 ? .max : (1 << (UInt64(max(last, -1) + 1))) - 1)
    }

    /// One capability by a name with or without "CAP_", in any case; nil where libcap does not know it.
    package init?(name: String) {
        let upper = name.uppercased()
        guard let number = Self.numbers[upper.hasPrefix("CAP_") ? upper : "CAP_" + upper] else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// "CAP_CHOWN" and so on, in order of their numbers; bits that libcap has no name for are left out.
    package var names: [String] {
        Self.table.enumerated().compactMap { number, name in rawValue & (1 << UInt64(number)) == 0 ? nil : name }
    }

    /// libcap's names by number.
    private static let table: [String] = (0..<min(63, Int(cap_max_bits()))).map(libraryName)
    private static let numbers = Dictionary(uniqueKeysWithValues: table.enumerated().map { ($1, $0) })

    private static func libraryName(_ number: Int) -> String {
        // cap_to_name(3) gives a string of its own, which is copied here and freed.
        guard let text = unsafe cap_to_name(cap_value_t(number)) else { return "CAP_\(number)" }
        defer { unsafe cap_free(text) }
        return unsafe String(cString: text).uppercased()
    }
}
