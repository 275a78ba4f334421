import Linux

extension Cgroups {
    /// What the kernel counted for a cgroup; nil when there is none.
    package func statistics(_ path: CgroupPath) async throws -> CgroupStatistics? {
        try await pool.run { [self] in try statisticsNow(path) }
    }

    /// The same for many in one go, in their order.
    package func statistics(_ paths: [CgroupPath]) async throws -> [CgroupStatistics?] {
        try await pool.run { [self] in try paths.map(statisticsNow) }
    }

    /// memory.events of a cgroup; nil when there is none or it has no memory controller. To be read before the cgroup
    /// is removed: it alone tells that a process ended for lack of memory.
    package func memoryEvents(_ path: CgroupPath) throws(CgroupError) -> CgroupStatistics.MemoryEvents? {
        guard let directory = try find(path), let text = try directory.read("memory.events") else { return nil }
        return CgroupStatistics.MemoryEvents(text)
    }

    /// Whether a process lives in a cgroup or below it; false when there is none.
    package func isPopulated(_ path: CgroupPath) throws(CgroupError) -> Bool {
        guard let directory = try find(path) else { return false }
        return try directory.isPopulated()
    }

    /// Processes in a cgroup itself, at most 65,536 of them, as numbers of the caller's PID namespace; none when it is
    /// gone.
    package func processes(_ path: CgroupPath) throws(CgroupError) -> [Int32] {
        guard let directory = try find(path), let text = try directory.read("cgroup.procs") else { return [] }
        return text.split(separator: "\n").prefix(65536).compactMap { Int32($0) }
    }

    /// Names of the cgroups below one, for finding leftovers; none when it is gone.
    package func children(_ path: CgroupPath) throws(CgroupError) -> [String] {
        guard let directory = try find(path) else { return [] }
        do throws(Errno) {
            return try directory.fd.entries(max: 1 << 20).filter { $0.kind == .directory }
                .map { String(decoding: $0.name, as: UTF8.self) }.sorted()
        } catch {
            throw .system(operation: "list cgroup", path: path.description, errno: error)
        }
    }

    func statisticsNow(_ path: CgroupPath) throws(CgroupError) -> CgroupStatistics? {
        guard let directory = try find(path) else { return nil }
        var statistics = CgroupStatistics()
        statistics.cpu = try directory.read("cpu.stat").flatMap { CgroupStatistics.CPU($0) }
        statistics.memory = try directory.memory()
        if let current = KeyedText.number(try directory.read("pids.current") ?? "") {
            statistics.processes = .init(current: current, limit: try directory.limit("pids.max") ?? .unlimited)
        }
        statistics.io = CgroupStatistics.DeviceIO.lines(try directory.read("io.stat") ?? "")
        statistics.pressure.cpu = try directory.pressure("cpu.pressure")
        statistics.pressure.memory = try directory.pressure("memory.pressure")
        statistics.pressure.io = try directory.pressure("io.pressure")
        statistics.hugetlb = try directory.hugetlb()
        return statistics
    }
}

extension CgroupDirectory {
    fileprivate func memory() throws(CgroupError) -> CgroupStatistics.Memory? {
        guard let current = try read("memory.current"), let limit = try read("memory.max"),
            let stat = try read("memory.stat"),
            var memory = CgroupStatistics.Memory(current: current, limit: limit, stat: stat)
        else { return nil }
        memory.peakBytes = try number("memory.peak")
        memory.minBytes = try number("memory.min") ?? 0
        memory.swapCurrentBytes = try number("memory.swap.current")
        memory.swapLimit = try self.limit("memory.swap.max")
        memory.events = CgroupStatistics.MemoryEvents(try read("memory.events") ?? "")
        return memory
    }

    /// The page sizes are known from the names of the files.
    fileprivate func hugetlb() throws(CgroupError) -> [CgroupStatistics.Hugetlb] {
        guard try words("cgroup.controllers").contains("hugetlb") else { return [] }
        let names: [String]
        do throws(Errno) {
            names = try fd.entries(max: 1 << 20).map { String(decoding: $0.name, as: UTF8.self) }
        } catch {
            // Removed since it was opened, as the other files say by not being there.
            if error == .noEntry || error == .cgroupGone { return [] }
            throw .system(operation: "list cgroup", path: path.description, errno: error)
        }
        var found: [CgroupStatistics.Hugetlb] = []
        for name in names.sorted() {
            let parts = name.split(separator: ".")
            guard parts.count == 3, parts[0] == "hugetlb", parts[2] == "current", let current = try number(name) else {
                continue
            }
            let events = KeyedText.flat(try read("hugetlb.\(parts[1]).events") ?? "")
            var pages = CgroupStatistics.Hugetlb(
                pageSize: String(parts[1]), currentBytes: current, limitHits: events["max"] ?? 0)
            pages.peakBytes = try number("hugetlb.\(parts[1]).peak")
            found.append(pages)
        }
        return found
    }

    private func number(_ file: String) throws(CgroupError) -> UInt64? { KeyedText.number(try read(file) ?? "") }
    fileprivate func limit(_ file: String) throws(CgroupError) -> CgroupLimit? { KeyedText.limit(try read(file) ?? "") }

    fileprivate func pressure(_ file: String) throws(CgroupError) -> CgroupStatistics.Pressure? {
        try read(file).flatMap { CgroupStatistics.Pressure($0) }
    }
}
