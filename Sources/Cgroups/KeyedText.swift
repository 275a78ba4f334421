/// Parsers of the text forms of cgroup v2 files ("Interface Files" in cgroup-v2.rst). They are total: a line that does
/// not read as documented is left out, never guessed at, so that a new kernel's extra lines do no harm.
package enum KeyedText {
    /// `KEY VALUE` in each line, as in cpu.stat, memory.stat and cgroup.events.
    package static func flat(_ text: some StringProtocol) -> [String: UInt64] {
        var values: [String: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 2, let value = UInt64(fields[1]) else { continue }
            values[String(fields[0])] = value
        }
        return values
    }

    /// `KEY SUB=VALUE SUB=VALUE ...` in each line, as in io.stat and the pressure files; in file order.
    package static func nested(_ text: some StringProtocol) -> [(key: String, values: [String: Substring])] {
        text.split(separator: "\n").compactMap { line in
            let fields = Substring(line).split(separator: " ")
            guard let key = fields.first else { return nil }
            var values: [String: Substring] = [:]
            for field in fields.dropFirst() {
                let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if pair.count == 2 { values[String(pair[0])] = pair[1] }
            }
            return (String(key), values)
        }
    }

    /// One number; `max` is nil inside.
    package static func limit(_ text: some StringProtocol) -> CgroupLimit? {
        let word = text.split(whereSeparator: { $0 == "\n" || $0 == " " })
        guard word.count == 1, let only = word.first else { return nil }
        if only == "max" { return .unlimited }
        return UInt64(only).map { .bytesOrCount($0) }
    }

    package static func number(_ text: some StringProtocol) -> UInt64? {
        guard case .bytesOrCount(let value) = limit(text) else { return nil }
        return value
    }
}

/// The value of a limit file.
package enum CgroupLimit: Sendable, Equatable {
    case unlimited
    case bytesOrCount(UInt64)

    /// Nil without a limit. Numbers above 2^62 mean none as well, as in the page counter of the kernel.
    package var value: UInt64? {
        guard case .bytesOrCount(let value) = self, value <= 1 << 62 else { return nil }
        return value
    }
}
