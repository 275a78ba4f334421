/// A quantity of the API such as 500m, 64Mi or 1e3, in thousandths.
package struct Quantity: Equatable, Sendable {
    package let thousandths: Int64

    private static let suffixes: [(String, Double)] = [
        ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776), ("m", 0.001), ("k", 1e3),
        ("M", 1e6), ("G", 1e9), ("T", 1e12),
    ]

    package init?(_ text: String) {
        let suffix = Self.suffixes.first { text.hasSuffix($0.0) }
        let digits = String(text.dropLast(suffix?.0.count ?? 0))
        guard let first = digits.utf8.first, (48...57).contains(first) || first == 46, let number = Double(digits)
        else { return nil }
        guard let whole = Int64(exactly: (number * (suffix?.1 ?? 1) * 1000).rounded(.up)), whole >= 0 else {
            return nil
        }
        thousandths = whole
    }

    /// Rounded up.
    package var whole: Int64 { thousandths / 1000 + (thousandths % 1000 == 0 ? 0 : 1) }
}
