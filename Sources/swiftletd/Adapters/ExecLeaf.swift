import Linux
import SupervisorClient
import Synchronization

/// The cgroups of execs, each a leaf `exec-<number>` in its container's, so that all of one exec can be killed and nothing else.
final class ExecLeaves: Sendable {
    private static let leavesMax = 10_000

    /// Paths of leaves whose exec goes on. What else is there was left by an exec that has ended, or by a daemon that was killed.
    private let inUse = Mutex<Set<String>>([])

    /// Makes a leaf with the lowest number that is free. A leaf that is left and empty makes room.
    func make(in container: consuming OwnedFD, path: String) throws(Errno) -> ExecLeaf {
        for number in 0..<Self.leavesMax {
            let name = "exec-\(number)"
            let key = path + "/" + name
            guard inUse.withLock({ $0.insert(key).inserted }) else { continue }
            do throws(Errno) {
                do throws(Errno) { try container.unlink(Path(name), directory: true) } catch Errno.noEntry {}
                try container.makeDirectory(Path(name), mode: 0o755)
                let cgroup = try container.open(Path(name), [.readOnly, .directory])
                return ExecLeaf(container, Path(name), cgroup) { self.giveBack(key) }
            } catch {
                giveBack(key)
                // Descendants of an earlier exec live there.
                if error != .busy { throw error }
            }
        }
        throw .noSpace
    }

    /// The leaf of an exec that an earlier daemon has started.
    func adopt(_ container: consuming OwnedFD, path: String) throws(Errno) -> ExecLeaf {
        let name = Path(String(path.split(separator: "/").last ?? ""))
        let cgroup = try container.open(name, [.readOnly, .directory])
        inUse.withLock { _ = $0.insert(path) }
        return ExecLeaf(container, name, cgroup) { self.giveBack(path) }
    }

    private func giveBack(_ key: String) { inUse.withLock { _ = $0.remove(key) } }
}

/// The cgroup of one exec.
final class ExecLeaf: Sendable {
    private enum State { case running, killed, ended }

    let cgroup: OwnedFD
    private let container: OwnedFD
    private let name: Path
    private let giveBack: @Sendable () -> Void
    private let state = Mutex(State.running)

    init(
        _ container: consuming OwnedFD, _ name: Path, _ cgroup: consuming OwnedFD,
        giveBack: @escaping @Sendable () -> Void
    ) {
        self.container = container
        self.name = name
        self.cgroup = cgroup
        self.giveBack = giveBack
    }

    /// Kills the exec with all of its descendants, unless it has ended: then what it left runs on.
    func kill() {
        state.withLock { state in
            if case .ended = state { return }
            state = .killed
            // The cgroup is gone with its container, or its processes with it.
            do throws(Errno) { try cgroup.killCgroup() } catch { return }
        }
    }

    /// The exec has ended. Removes the leaf, which what the exec left running keeps until it ends too.
    ///
    /// A killed process has closed its pipes before it leaves its cgroup; until then rmdir(2) says EBUSY. One that hangs in the
    /// kernel is not waited for long.
    func end() async {
        let last = state.withLock { state in
            let last = state
            state = .ended
            return last
        }
        if case .ended = last { return }
        let attempts = if case .killed = last { 400 } else { 1 }
        for attempt in 1...attempts {
            if remove() || attempt == attempts { break }
            do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
        }
        giveBack()
    }

    /// False while it is not empty.
    private func remove() -> Bool {
        do throws(Errno) {
            try container.unlink(name, directory: true)
            return true
        } catch {
            return error != .busy
        }
    }
}
