import Linux

extension Cgroups {
    /// Ends every process in a cgroup and below it (cgroup.kill, Linux 5.14). Success when it is gone.
    package func kill(_ path: CgroupPath) throws(CgroupError) {
        guard let directory = try find(path) else { return }
        do throws(CgroupError) {
            try directory.write("cgroup.kill", "1")
        } catch {
            // Removed between the two calls.
            if case .system(_, _, .cgroupGone) = error { return }
            throw error
        }
    }

    /// Ends every process in a cgroup and removes it with everything below it. Success when it is gone.
    ///
    /// Killed processes leave a cgroup only when the kernel has taken them down, which can take long in an
    /// uninterruptible wait: the call tries again with growing pauses, without holding a thread, and throws `busy` when
    /// the time is over.
    package func remove(_ path: CgroupPath, within limit: Duration = .seconds(10)) async throws {
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(1)
        while true {
            let isGone = try await pool.run { [self] in
                try kill(path)
                return try removeNow(path)
            }
            if isGone { return }
            if start.duration(to: .now) + pause > limit { throw CgroupError.busy(path.description) }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(100))
        }
    }

    /// Waits until no process is left in a cgroup and below it; false when the time was over first.
    package func waitUntilEmpty(_ path: CgroupPath, within limit: Duration) async throws -> Bool {
        try await poll(within: limit) { [self] in
            guard let directory = try find(path) else { return true }
            return try !directory.isPopulated()
        }
    }

    /// Stops or continues every process of a cgroup; false when the kernel had not got so far within the time.
    package func freeze(_ path: CgroupPath, _ isFrozen: Bool, within limit: Duration = .seconds(10)) async throws
        -> Bool
    {
        try await pool.run { [self] in try find(path)?.write("cgroup.freeze", isFrozen ? "1" : "0") }
        return try await poll(within: limit) { [self] in
            guard let directory = try find(path) else { return true }
            return KeyedText.flat(try directory.read("cgroup.events") ?? "")["frozen"] == (isFrozen ? 1 : 0)
        }
    }

    private func poll(within limit: Duration, _ isDone: @escaping @Sendable () throws -> Bool) async throws -> Bool {
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(1)
        while try await !pool.run(isDone) {
            if start.duration(to: .now) + pause > limit { return false }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
        return true
    }

    // MARK: - Removing a tree

    /// Removes a cgroup and all below it, deepest first; false while processes keep one of them.
    ///
    /// A container that may write its cgroups can nest them as deep and as wide as it likes, so the walk holds one
    /// descriptor and no path: it goes down by name and up by "..", and it takes names in portions.
    func removeNow(_ path: CgroupPath) throws(CgroupError) -> Bool {
        guard let parent = path.parent else { return false }
        guard let above = try find(parent), let start = try find(path) else { return true }
        do throws(Errno) {
            try Self.removeChildren(of: start.fd.duplicate())
            try above.fd.removeCgroup(path.name)
            return true
        } catch {
            if error == .busy || error == .directoryNotEmpty { return false }
            throw .system(operation: "remove cgroup", path: path.description, errno: error)
        }
    }

    private static func removeChildren(of top: consuming OwnedFD) throws(Errno) {
        var here = top
        /// Names still to be removed, one list for each level; the last name of a list is the one that the walk is in.
        var levels: [[String]] = [try here.childCgroups()]
        while var names = levels.popLast() {
            if let name = names.last {
                do throws(Errno) {
                    try here.removeCgroup(name)
                    names.removeLast()
                    if names.isEmpty { names = try here.childCgroups() }
                    levels.append(names)
                } catch {
                    if error != .busy && error != .directoryNotEmpty { throw error }
                    // It has children, or processes: the first are removed, the second end the walk.
                    let below = try here.open(Path(name), [.readOnly, .directory, .noFollow])
                    let children = try below.childCgroups()
                    if children.isEmpty { throw error }
                    here = below
                    levels.append(names)
                    levels.append(children)
                }
            } else if !levels.isEmpty {
                here = try here.open("..", [.readOnly, .directory])
            }
        }
    }
}

extension OwnedFD {
    /// Success when it is gone already.
    fileprivate func removeCgroup(_ name: String) throws(Errno) {
        do throws(Errno) {
            try unlink(Path(name), directory: true)
        } catch {
            if error != .noEntry { throw error }
        }
    }

    /// Names of at most a few hundred cgroups below this one; none only when there is none.
    fileprivate func childCgroups() throws(Errno) -> [String] {
        try seek(to: 0)
        while true {
            let part = try entriesPart()
            if part.isEmpty { return [] }
            let names = part.filter { $0.kind == .directory && !$0.isDot }.map {
                String(decoding: $0.name, as: UTF8.self)
            }
            if !names.isEmpty { return names }
        }
    }
}
