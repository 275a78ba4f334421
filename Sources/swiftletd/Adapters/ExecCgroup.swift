import Linux

/// The cgroup of an exec: a leaf in its container's, so that a timeout kills all of the exec and nothing else.
extension OwnedFD {
    private static var execCgroupsMax: Int { 10_000 }

    /// A new leaf `exec-<lowest free number>` in this container's cgroup.
    func makeExecCgroup() throws(Errno) -> Path {
        for number in 0..<Self.execCgroupsMax {
            let name = Path("exec-\(number)")
            do throws(Errno) {
                try makeDirectory(name, mode: 0o755)
            } catch Errno.alreadyExists {
                continue
            }
            return name
        }
        throw .noSpace
    }

    /// What an exec left running keeps its cgroup until the container ends.
    func removeExecCgroup(_ name: Path) {
        do throws(Errno) { try unlink(name, directory: true) } catch { return }
    }

    /// Returns when everything in a killed cgroup is gone, and it with them. A dying process has closed its pipes before it
    /// leaves its cgroup; until then rmdir(2) says EBUSY. One that hangs in the kernel is not waited for long.
    func removeKilledExecCgroup(_ name: Path) async throws {
        for _ in 0..<400 {
            do throws(Errno) {
                return try unlink(name, directory: true)
            } catch Errno.busy {
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                return
            }
        }
    }
}
