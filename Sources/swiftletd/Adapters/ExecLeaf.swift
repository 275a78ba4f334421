import Linux
import SupervisorClient
import Synchronization

/// The cgroup of one exec.
final class ExecLeaf: Sendable {
    private enum State { case running, killed, ended }

    /// The exit code of who was killed by SIGKILL.
    static let killedCode: Int32 = 128 + 9

    private static let attemptsMax = 400

    let descriptors: LeafDescriptors
    private let number: Int
    private let owner: ContainerLeaves
    private let state = Mutex(State.running)

    init(_ descriptors: LeafDescriptors, _ number: Int, _ owner: ContainerLeaves) {
        self.descriptors = descriptors
        self.number = number
        self.owner = owner
    }

    /// Kills the exec with all of its descendants, unless it has ended: then what it left runs on.
    func kill() {
        state.withLock { state in
            if case .ended = state { return }
            state = .killed
            killAll()
        }
    }

    /// Kills it for a client that has gone, again and again until it has ended: a launch that is under way may not have made its
    /// process yet, and before Linux 6.14 one that comes after the kill would run.
    func killUntilEnded() {
        kill()
        Task {
            for _ in 0..<Self.attemptsMax {
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
                if case .ended = state.withLock({ $0 }) { return }
                kill()
            }
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
        case .running where !isSpoiled: return owner.keep(number, descriptors)
        case .running: attempts = 1
        case .killed: attempts = Self.attemptsMax
        }
        for attempt in 1...attempts {
            if owner.remove(number) || attempt == attempts { break }
            // A launch that was under way has made a process after the last kill: none can come once the leaf is gone.
            killAll()
            do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
        }
        owner.forget(number)
    }

    private func killAll() {
        // The cgroup is gone with its container, or its processes with it.
        do throws(Errno) { try descriptors.cgroup.killCgroup() } catch { return }
    }
}
