import Linux
package import Model

extension Cgroups {
    /// Changes the limits of a cgroup with living processes: what grows first, and all or nothing. A memory limit below
    /// what the container holds and cannot give back is refused, since the kernel could enforce it only by killing.
    /// - Parameter resources: the complete limits, since memory and swap are stated as a sum.
    /// - Returns: files of limits that the host cannot enforce (see `create`); nil when the cgroup is gone.
    package func update(_ path: CgroupPath, resources: LinuxResources) async throws -> [String]? {
        let writes = try resources.limitWrites()
        return try await pool.run { [self] in try updateNow(path, writes: writes) }
    }

    func updateNow(_ path: CgroupPath, writes: [LimitWrite]) throws(CgroupError) -> [String]? {
        guard let directory = try find(path) else { return nil }
        var current: [String: String] = [:]
        for write in writes {
            // Some files take a value and give none; they have nothing to go back to.
            do throws(CgroupError) { current[write.file] = try directory.read(write.file) } catch { continue }
        }
        let changes = writes.filter { current[$0.file].map(Self.trimmed) != $0.value }
        try directory.refuseBelowUsage(changes)

        var unenforced: [String] = []
        var done: [LimitWrite] = []
        for change in LimitWrite.ordered(changes, current: current) {
            do throws(CgroupError) {
                if try !apply(change, to: directory) { unenforced.append(change.file) }
                done.append(change)
            } catch {
                for earlier in done.reversed() { directory.restore(earlier.file, current[earlier.file]) }
                throw error
            }
        }
        return unenforced
    }

    private static func trimmed(_ text: String) -> String { text.hasSuffix("\n") ? String(text.dropLast()) : text }
}

extension CgroupDirectory {
    /// Best effort: the update has failed already, and its error is the one to tell.
    fileprivate func restore(_ file: String, _ old: String?) {
        guard let old else { return }
        // A keyed file (io.max) takes one line in each write.
        let lines = old.split(separator: "\n")
        for line in lines.isEmpty ? [""] : lines {
            do throws(CgroupError) { try write(file, String(line)) } catch { return }
        }
    }

    fileprivate func refuseBelowUsage(_ changes: [LimitWrite]) throws(CgroupError) {
        guard let limit = changes.first(where: { $0.file == "memory.max" }).flatMap({ UInt64($0.value) }),
            let current = KeyedText.number(try read("memory.current") ?? "")
        else { return }
        let stat = KeyedText.flat(try read("memory.stat") ?? "")
        let cache = (stat["active_file"] ?? 0) &+ (stat["inactive_file"] ?? 0)
        let held = current > cache ? current - cache : 0
        if held > limit { throw .limitBelowUsage(limitBytes: limit, usageBytes: held) }
    }
}
