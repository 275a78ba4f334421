/// A number with at most `places` decimal places, without trailing zeros.
package func decimal(_ value: Double, places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard let units = Int64(exactly: scaled), units != 0 else { return scaled == 0 ? "0" : String(value) }
    let whole = units / Int64(scale)
    var fraction = String(units % Int64(scale))
    fraction = String(repeating: "0", count: max(0, places - fraction.count)) + fraction
    while fraction.hasSuffix("0") { fraction.removeLast() }
    if places == 0 { fraction = "" }
    return (value < 0 ? "-" : "") + String(whole) + (fraction.isEmpty ? "" : "." + fraction)
}

/// A number of bytes for people, in decimal units and three digits: "4.26MB".
package func sizeText(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = 0
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    while value >= 999.5, unit + 1 < units.count {
        value /= 1000
        unit += 1
    }
    let places = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
    return decimal(value, places: places) + units[unit]
}

/// Reads a number of bytes: "64M", "1.5GiB", "1048576"; one-letter units are powers of 1024, as docker and podman read them.
package func parseSize(_ text: String) -> Int64? {
    let factors: [(suffix: String, factor: Double)] = [
        ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776),
        ("kb", 1000), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12),
        ("ki", 1024), ("mi", 1_048_576), ("gi", 1_073_741_824), ("ti", 1_099_511_627_776),
        ("k", 1024), ("m", 1_048_576), ("g", 1_073_741_824), ("t", 1_099_511_627_776), ("b", 1),
    ]
    let lower = text.lowercased()
    let unit = factors.first { lower.hasSuffix($0.suffix) }
    let digits = lower.dropLast(unit?.suffix.count ?? 0)
    guard let first = digits.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
        digits.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        let number = Double(digits)
    else { return nil }
    return Int64(exactly: (number * (unit?.factor ?? 1)).rounded(.down))
}
