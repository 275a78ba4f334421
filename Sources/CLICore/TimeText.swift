/// Nanoseconds since 1970-01-01T00:00:00Z, as the CRI gives times.
package typealias UnixNanoseconds = Int64

/// How long ago something was, for people: "3 minutes ago".
package func agoText(_ then: UnixNanoseconds, now: UnixNanoseconds) -> String {
    let (elapsed, overflow) = now.subtractingReportingOverflow(then)
    let seconds = overflow ? 0 : elapsed / 1_000_000_000
    let units: [(below: Int64, size: Int64, name: String)] = [
        (60, 1, "second"), (3600, 60, "minute"), (48 * 3600, 3600, "hour"), (14 * 86_400, 86_400, "day"),
        (60 * 86_400, 7 * 86_400, "week"), (730 * 86_400, 30 * 86_400, "month"), (.max, 365 * 86_400, "year"),
    ]
    guard seconds >= 1, let unit = units.first(where: { seconds < $0.below }) else { return "less than a second ago" }
    let count = seconds / unit.size
    return "\(count) \(unit.name)\(count == 1 ? "" : "s") ago"
}

/// A time as RFC 3339 with nanoseconds, in UTC, without trailing zeros: "2026-11-23T02:10:29.12Z".
package func rfc3339(_ time: UnixNanoseconds) -> String {
    let (second, nanosecond) = time.flooredDivision(by: 1_000_000_000)
    let (day, secondOfDay) = second.flooredDivision(by: 86_400)
    let date = CivilDate(daysSince1970: day)
    var text = padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T"
    text += padded(secondOfDay / 3600, 2) + ":" + padded(secondOfDay / 60 % 60, 2) + ":" + padded(secondOfDay % 60, 2)
    if nanosecond != 0 {
        var fraction = padded(nanosecond, 9)
        while fraction.hasSuffix("0") { fraction.removeLast() }
        text += "." + fraction
    }
    return text + "Z"
}

/// Reads an RFC 3339 time with 0 to 9 digits of a second's fraction; without a zone it is UTC. Nil if it is not one.
package func parseRFC3339(_ text: some StringProtocol) -> UnixNanoseconds? {
    var rest = Array(text.utf8)[...]
    func number(_ digits: Int) -> Int64? {
        guard rest.count >= digits else { return nil }
        var value: Int64 = 0
        for byte in rest.prefix(digits) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        rest = rest.dropFirst(digits)
        return value
    }
    func skip(_ scalars: Unicode.Scalar...) -> Bool {
        guard let first = rest.first, scalars.contains(where: { UInt8(ascii: $0) == first }) else { return false }
        rest = rest.dropFirst()
        return true
    }
    guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2) else { return nil }
    guard year >= 1678, year < 2262, (1...12).contains(month), (1...31).contains(day) else { return nil }
    var seconds = CivilDate(year: year, month: month, day: day).daysSince1970 * 86_400
    guard !rest.isEmpty else { return seconds * 1_000_000_000 }
    guard skip("T", "t", " "), let hour = number(2), skip(":"), let minute = number(2), skip(":"),
        let second = number(2),
        hour < 24, minute < 60, second < 61
    else { return nil }
    seconds += hour * 3600 + minute * 60 + second
    var nanoseconds: Int64 = 0
    if skip(".", ",") {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        guard (1...9).contains(digits), let fraction = number(digits) else { return nil }
        nanoseconds = (digits..<9).reduce(fraction) { value, _ in value * 10 }
    }
    if !rest.isEmpty, !skip("Z", "z") {
        let sign: Int64 = rest.first == UInt8(ascii: "-") ? 1 : -1
        guard skip("+", "-"), let hours = number(2), skip(":"), let minutes = number(2) else { return nil }
        seconds += sign * (hours * 3600 + minutes * 60)
    }
    return rest.isEmpty ? seconds * 1_000_000_000 + nanoseconds : nil
}

/// Reads a length of time as Go writes it, or a bare number of seconds: "1m30s", "500ms", "1.5h", "42". Nil if it is not one.
package func parseDuration(_ text: String) -> Duration? {
    let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9),
    ]
    var rest = Substring(text)
    var total = 0.0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        rest = rest.dropFirst(digits.count)
        let name = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
        rest = rest.dropFirst(name.count)
        guard let number = Double(digits), number <= 1e9 else { return nil }
        if name.isEmpty, digits.count == text.count { return .seconds(number) }
        guard let unit = units.first(where: { $0.name == name }) else { return nil }
        total += number * unit.nanoseconds
    }
    guard let nanoseconds = Int64(exactly: total.rounded()) else { return nil }
    return .nanoseconds(nanoseconds)
}

/// A length of time for people, in three digits: "1.25 s", "340 ms".
package func durationText(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    return seconds >= 1 ? decimal(seconds, places: 2) + " s" : decimal(seconds * 1000, places: 0) + " ms"
}

/// A day of the Gregorian calendar, converted by Howard Hinnant's days_from_civil and civil_from_days.
private struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    init(daysSince1970 days: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int64 {
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).flooredDivision(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Int64 {
    /// Quotient and remainder with the remainder never negative.
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
