import Linux
import SupervisorClient
import Synchronization

/// The cgroups of execs, each a leaf `exec-<number>` in its container's, so that all of one exec can be killed and nothing else.
///
/// A leaf whose exec ended by itself stays for the next: making and removing a cgroup costs the kernel more than the start of a
/// small program, and the monitoring of a node notices every one that comes or goes. A leaf that was killed is never used again:
/// on Linux 6.18, processes that clone3(2) makes in it die at once.
final class ExecLeaves: Sendable {
    private enum State { case inUse, left }

    private static let leavesMax = 10_000
    /// Of leaves that are left, those of containers that are gone among them; beyond it all are forgotten, and made anew.
    private static let statesMax = 4_096

    /// By path. What else is there was left by a daemon that was killed.
    private let states = Mutex<[String: State]>([:])

    /// Takes the leaf with the lowest number that is free, or makes it.
    func make(in container: consuming OwnedFD, path: String) throws(Errno) -> ExecLeaf {
        for number in 0..<Self.leavesMax {
            let name = "exec-\(number)"
            let key = path + "/" + name
            let state = states.withLock { $0.updateValue(.inUse, forKey: key) }
            if state == .inUse { continue }
            do throws(Errno) {
                let cgroup =
                    try state == .left ? Self.empty(Path(name), in: container) : Self.new(Path(name), in: container)
                return ExecLeaf(container, Path(name), cgroup) { self.giveBack(key, isLeft: $0) }
            } catch {
                // Descendants of an earlier exec live there.
                giveBack(key, isLeft: state == .left && error == .busy)
                if error != .busy { throw error }
            }
        }
        throw .noSpace
    }

    /// A leaf that is left; EBUSY while descendants of its exec live there.
    private static func empty(_ name: Path, in container: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        let cgroup: OwnedFD
        do throws(Errno) { cgroup = try container.open(name, [.readOnly, .directory]) } catch Errno.noEntry {
            return try new(name, in: container)
        }
        if try cgroup.isPopulatedCgroup() { throw .busy }
        return cgroup
    }

    private static func new(_ name: Path, in container: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        do throws(Errno) { try container.unlink(name, directory: true) } catch Errno.noEntry {}
        try container.makeDirectory(name, mode: 0o755)
        return try container.open(name, [.readOnly, .directory])
    }

    /// The leaf of an exec that an earlier daemon has started.
    func adopt(_ container: consuming OwnedFD, path: String) throws(Errno) -> ExecLeaf {
        let name = Path(String(path.split(separator: "/").last ?? ""))
        let cgroup = try container.open(name, [.readOnly, .directory])
        states.withLock { $0[path] = .inUse }
        return ExecLeaf(container, name, cgroup) { _ in self.giveBack(path, isLeft: false) }
    }

    private func giveBack(_ key: String, isLeft: Bool) {
        states.withLock { states in
            states[key] = isLeft ? .left : nil
            if states.count > Self.statesMax { states = states.filter { $0.value == .inUse } }
        }
    }
}

/// The cgroup of one exec.
final class ExecLeaf: Sendable {
    private enum State { case running, killed, ended }

    /// The exit code of who was killed by SIGKILL.
    static let killedCode: Int32 = 128 + 9

    private static let attemptsMax = 400

    let cgroup: OwnedFD
    private let container: OwnedFD
    private let name: Path
    private let giveBack: @Sendable (_ isLeft: Bool) -> Void
    private let state = Mutex(State.running)

    init(
        _ container: consuming OwnedFD, _ name: Path, _ cgroup: consuming OwnedFD,
        giveBack: @escaping @Sendable (_ isLeft: Bool) -> Void
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

    /// The exec has ended. A leaf that was not killed stays, with what the exec left running; a killed one is removed.
    ///
    /// A killed process has closed its pipes before it leaves its cgroup; until then rmdir(2) says EBUSY. One that hangs in the
    /// kernel is not waited for long.
    ///
    /// - Parameter isSpoiled: the exec failed or was killed by somebody else, and the leaf may be the reason: it is not kept.
    func end(isSpoiled: Bool = false) async {
        let last = state.withLock { state in
            let last = state
            state = .ended
            return last
        }
        let attempts: Int
        switch last {
        case .ended: return
        case .running where !isSpoiled: return giveBack(true)
        case .running: attempts = 1
        case .killed: attempts = Self.attemptsMax
        }
        for attempt in 1...attempts {
            if remove() || attempt == attempts { break }
            do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
        }
        giveBack(false)
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
