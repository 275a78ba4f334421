/// A rate from the annotations `kubernetes.io/ingress-bandwidth` and `kubernetes.io/egress-bandwidth`.
package enum Bandwidth {
    package static let ingressAnnotation = "kubernetes.io/ingress-bandwidth"
    package static let egressAnnotation = "kubernetes.io/egress-bandwidth"

    /// Bits per second of a Kubernetes quantity (`10M`, `1.5G`, `64Ki`, `1e6`), within the bounds 1k and 1P that
    /// Kubernetes itself sets; nil for all else.
    package static func bitsPerSecond(_ quantity: String) -> UInt64? {
        let suffixes: [(String, UInt64)] = [
            ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40), ("Pi", 1 << 50),
            ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000),
            ("P", 1_000_000_000_000_000),
        ]
        var digits = Substring(quantity)
        var unit: UInt64 = 1
        if let suffix = suffixes.first(where: { quantity.hasSuffix($0.0) }) {
            digits = digits.dropLast(suffix.0.count)
            unit = suffix.1
        } else if let exponent = digits.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            guard let power = plain(digits[digits.index(after: exponent)...]), power <= 15 else { return nil }
            unit = (0..<power).reduce(1) { unit, _ in unit * 10 }
            digits = digits[..<exponent]
        }
        guard let bits = product(digits, unit), (1_000...1_000_000_000_000_000).contains(bits) else { return nil }
        return bits
    }

    /// Digits only; at most 16, so that nothing overflows unseen.
    private static func plain(_ text: some StringProtocol) -> UInt64? {
        guard (1...16).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt64(text)
    }

    /// `12.5` times the unit; a fraction of a bit is dropped.
    private static func product(_ text: Substring, _ unit: UInt64) -> UInt64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first.flatMap({ plain($0) }) else { return nil }
        let (base, overflow) = whole.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return base }
        guard parts[1].utf8.count <= 4, let fraction = plain(parts[1]) else { return nil }
        let scale = parts[1].utf8.reduce(UInt64(1)) { scale, _ in scale * 10 }
        // Both factors are small: at most 4 digits and 2^50.
        let (sum, tooLarge) = base.addingReportingOverflow(fraction * unit / scale)
        return tooLarge ? nil : sum
    }
}
