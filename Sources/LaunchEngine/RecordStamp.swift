package import LaunchProtocol
import Linux

/// Names the stream that a log record came from.
package enum LogStreamName: Sendable { case output, error }

/// The front of a log record: `2026-11-23T02:10:29.123456789Z stdout F `, the CRI log format's time, stream and tag.
package enum RecordStamp {
    /// Bytes of the longest front.
    package static let bytesMax = 48

    /// - Parameter nanoseconds: since 1970; RFC 3339 with nine digits, in UTC.
    package static func bytes(at nanoseconds: Int64, stream: LogStreamName, isPartial: Bool) -> Bytes {
        var text: Bytes = []
        text.reserveCapacity(bytesMax)
        appendTime(nanoseconds, to: &text)
        text.append(UInt8(ascii: " "))
        text += (stream == .output ? Path("stdout ") : Path("stderr ")).bytes
        text.append(isPartial ? UInt8(ascii: "P") : UInt8(ascii: "F"))
        text.append(UInt8(ascii: " "))
        return text
    }

    private static func appendTime(_ nanoseconds: Int64, to text: inout Bytes) {
        // A clock before 1970 or after 2262 is shown as the nearest end.
        let total = max(nanoseconds, 0)
        let seconds = total / 1_000_000_000
        let (year, month, day) = date(days: seconds / 86_400)
        append(year, digits: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(day, digits: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        append(seconds / 3_600 % 24, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(seconds / 60 % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(seconds % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: "."))
        append(total % 1_000_000_000, digits: 9, to: &text)
        text.append(UInt8(ascii: "Z"))
    }

    private static func append(_ number: Int64, digits: Int, to text: inout Bytes) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// Days since 1970 as a date of the Gregorian calendar: years are counted from March, so that the leap day comes last, in
    /// eras of 400 years, which all have 146,097 days.
    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
