import NIOCore

/// The `grpc-timeout` header: at most eight digits and a unit (gRPC over HTTP/2, Timeout).
enum Timeout {
    /// Longer timeouts count as this one: it still fits a clock in nanoseconds.
    static let longest = Duration.seconds(10 * 365 * 86400)

    /// Returns nil if the text is not a timeout.
    static func parse(_ text: String) -> Duration? {
        let characters = text.utf8
        guard let unit = characters.last, (2...9).contains(characters.count) else { return nil }
        var amount: Int64 = 0
        for digit in characters.dropLast() {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            amount = amount * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        switch unit {
        case UInt8(ascii: "H"): return min(.seconds(amount * 3600), longest)
        case UInt8(ascii: "M"): return min(.seconds(amount * 60), longest)
        case UInt8(ascii: "S"): return .seconds(amount)
        case UInt8(ascii: "m"): return .milliseconds(amount)
        case UInt8(ascii: "u"): return .microseconds(amount)
        case UInt8(ascii: "n"): return .nanoseconds(amount)
        default: return nil
        }
    }

    /// The finest unit in which the rest of the timeout, rounded up, fits eight digits.
    static func format(_ timeout: Duration) -> String {
        let nanoseconds = max(0, min(timeout, longest).nanoseconds)
        let units: [(name: String, nanoseconds: Int64)] = [
            ("n", 1), ("u", 1000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000),
        ]
        for unit in units {
            let amount = (nanoseconds + unit.nanoseconds - 1) / unit.nanoseconds
            if amount <= 99_999_999 { return "\(amount)\(unit.name)" }
        }
        return "99999999M"
    }
}

extension Duration {
    /// The whole duration in nanoseconds; the caller has bounded it to `Timeout.longest`.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// The duration as NIO's timers want it.
    var timeAmount: TimeAmount { .nanoseconds(min(self, Timeout.longest).nanoseconds) }
}
