extension CgroupStatistics.CPU {
    /// Nil without the three lines that every kernel has.
    package init?(_ text: some StringProtocol) {
        let values = KeyedText.flat(text)
        guard let usage = values["usage_usec"], let user = values["user_usec"], let system = values["system_usec"]
        else { return nil }
        usageMicroseconds = usage
        userMicroseconds = user
        systemMicroseconds = system
        periods = values["nr_periods"]
        throttledPeriods = values["nr_throttled"]
        throttledMicroseconds = values["throttled_usec"]
    }
}

extension CgroupStatistics.Memory {
    /// From memory.current, memory.max and memory.stat; the caller adds what not every kernel has.
    package init?(current: some StringProtocol, limit: some StringProtocol, stat: some StringProtocol) {
        guard let current = KeyedText.number(current), let limit = KeyedText.limit(limit) else { return nil }
        currentBytes = current
        self.limit = limit
        let values = KeyedText.flat(stat)
        anonBytes = values["anon"] ?? 0
        fileBytes = values["file"] ?? 0
        // The sum came with Linux 5.18; before it the stacks are the largest part that is told.
        kernelBytes = values["kernel"] ?? values["kernel_stack"] ?? 0
        fileMappedBytes = values["file_mapped"] ?? 0
        activeFileBytes = values["active_file"] ?? 0
        inactiveFileBytes = values["inactive_file"] ?? 0
        pageFaults = values["pgfault"] ?? 0
        majorPageFaults = values["pgmajfault"] ?? 0
    }
}

extension CgroupStatistics.DeviceIO {
    /// All lines of io.stat that name a device; a device without numbers has had no traffic.
    package static func lines(_ text: some StringProtocol) -> [Self] {
        KeyedText.nested(text).compactMap { line in
            let device = line.key.split(separator: ":")
            guard device.count == 2, let major = UInt32(device[0]), let minor = UInt32(device[1]) else { return nil }
            func count(_ name: String) -> UInt64 { line.values[name].flatMap { UInt64($0) } ?? 0 }
            return Self(
                major: major, minor: minor, readBytes: count("rbytes"), writtenBytes: count("wbytes"),
                reads: count("rios"), writes: count("wios"))
        }
    }
}

extension CgroupStatistics.Pressure {
    /// Nil without a `some` line.
    package init?(_ text: some StringProtocol) {
        var lines: [String: Line] = [:]
        for line in KeyedText.nested(text) { lines[line.key] = Line(line.values) }
        guard let some = lines["some"] else { return nil }
        self.some = some
        full = lines["full"]
    }
}

extension CgroupStatistics.Pressure.Line {
    fileprivate init?(_ values: [String: Substring]) {
        func average(_ name: String) -> Double? {
            values[name].flatMap { Double($0) }.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
        }
        guard let average10 = average("avg10"), let average60 = average("avg60"), let average300 = average("avg300"),
            let total = values["total"].flatMap({ UInt64($0) })
        else { return nil }
        self.init(average10: average10, average60: average60, average300: average300, totalMicroseconds: total)
    }
}
