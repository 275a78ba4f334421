import Lifecycle
import Linux
import Model
import SupervisorClient
import Synchronization

/// The cgroups of execs, each a leaf `exec-<number>` in its container's, so that all of one exec can be killed and nothing else.
///
/// A leaf whose exec ended by itself stays for the next, and its descriptors with it: making and removing a cgroup costs the kernel
/// more than the start of a small program, and the monitoring of a node notices every one that comes or goes. A leaf that was
/// killed is never used again: on Linux 6.18, processes that clone3(2) makes in it die at once.
final class ExecLeaves: Sendable {
    private struct Entry {
        let leaves: ContainerLeaves
        /// Nil where an earlier daemon's exec is all that is known of the container.
        var exec: (pod: PodID, container: ContainerID)?
    }

    /// Only execs make an entry, and only the end of a container takes it: beyond this all that is kept goes.
    private static let containersMax = 4_096

    /// By path of the container's cgroup.
    private let containers = Mutex<[String: Entry]>([:])

    /// Takes a leaf that is kept of a container, at no cost.
    func takeKept(in directory: String) -> ExecLeaf? {
        containers.withLock { $0[directory]?.leaves }?.takeKept()
    }

    /// Makes a leaf of a container, for which the kernel may have to wait for others that make cgroups.
    ///
    /// - Parameter directory: the container's cgroup.
    func make(for exec: ExecLaunch, in directory: String) throws(Errno) -> ExecLeaf {
        let leaves = containers.withLock { containers in
            var entry = Self.entry(at: directory, in: &containers)
            if entry.exec == nil {
                entry.exec = (exec.pod, exec.container)
                containers[directory] = entry
            }
            return entry.leaves
        }
        return try leaves.make()
    }

    /// The leaf of an exec that an earlier daemon has started; `path` is its own.
    func adopt(_ path: String) throws(Errno) -> ExecLeaf {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let directory = parts.dropLast().joined(separator: "/")
        let leaves = containers.withLock { Self.entry(at: directory, in: &$0).leaves }
        return try leaves.adopt(String(parts.last ?? ""))
    }

    /// The container has ended: what is kept of its leaves goes. A descriptor would keep a removed cgroup in the kernel's memory.
    func forget(_ container: ContainerID) { forget { $0.container == container } }

    /// As above, for all containers of a pod.
    func forget(_ pod: PodID) { forget { $0.pod == pod } }

    private func forget(_ isGone: ((pod: PodID, container: ContainerID)) -> Bool) {
        let gone = containers.withLock { containers in
            let gone = containers.filter { $0.value.exec.map(isGone) ?? false }
            for path in gone.keys { containers[path] = nil }
            return gone
        }
        for entry in gone.values { entry.leaves.close() }
    }

    private static func entry(at directory: String, in containers: inout [String: Entry]) -> Entry {
        if let known = containers[directory] { return known }
        if containers.count >= containersMax {
            // What is in use stays known, so that nobody else takes its name.
            for entry in containers.values { entry.leaves.close() }
            containers = containers.filter { $0.value.leaves.isInUse }
        }
        let made = Entry(leaves: ContainerLeaves(directory))
        containers[directory] = made
        return made
    }
}

/// The leaves of one container.
final class ContainerLeaves: Sendable {
    private enum Leaf {
        case inUse
        case left(LeafDescriptors)
    }

    private struct State {
        var leaves: [Int: Leaf] = [:]
        var isClosed = false

        var leftCount: Int {
            leaves.values.count { leaf in
                if case .left = leaf { true } else { false }
            }
        }
    }

    private static let leavesMax = 10_000
    /// So many are kept for the next execs, more are removed.
    private static let leftMax = 8

    private let directory: String
    private let state = Mutex(State())

    init(_ directory: String) { self.directory = directory }

    /// Takes a leaf that is kept and in which nobody lives.
    func takeKept() -> ExecLeaf? {
        for number in state.withLock({ $0.leaves.keys.sorted() }) {
            let kept: LeafDescriptors? = state.withLock { state in
                guard case .left(let kept) = state.leaves[number] else { return nil }
                state.leaves[number] = .inUse
                return kept
            }
            guard let kept else { continue }
            do throws(Errno) {
                if try !kept.isPopulated() { return ExecLeaf(kept, number, self) }
                // Descendants of its exec live there.
                keep(number, kept)
            } catch {
                // It was removed.
                forget(number)
            }
        }
        return nil
    }

    /// Makes the leaf with the lowest number that is free.
    func make() throws(Errno) -> ExecLeaf {
        for number in 0..<Self.leavesMax {
            let isFree = state.withLock { state in
                if state.leaves[number] != nil { return false }
                state.leaves[number] = .inUse
                return true
            }
            guard isFree else { continue }
            do throws(Errno) {
                return ExecLeaf(try new(name(number)), number, self)
            } catch {
                forget(number)
                // What an earlier daemon left there lives on.
                if error != .busy { throw error }
            }
        }
        throw .noSpace
    }

    func adopt(_ name: String) throws(Errno) -> ExecLeaf {
        guard let number = Int(name.dropFirst("exec-".count)) else { throw .noEntry }
        let descriptors = try LeafDescriptors(try open(), Path(name))
        state.withLock { $0.leaves[number] = .inUse }
        return ExecLeaf(descriptors, number, self)
    }

    var isInUse: Bool { state.withLock { $0.leaves.count > $0.leftCount } }

    /// Lets go of what is kept, and keeps nothing from now on.
    func close() {
        state.withLock { state in
            state.isClosed = true
            for (number, leaf) in state.leaves {
                if case .left = leaf { state.leaves[number] = nil }
            }
        }
    }

    // MARK: - Private

    private func name(_ number: Int) -> Path { Path("exec-\(number)") }

    private func open() throws(Errno) -> OwnedFD { try OwnedFD.open(Path(directory), [.readOnly, .directory]) }

    private func new(_ name: Path) throws(Errno) -> LeafDescriptors {
        let container = try open()
        do throws(Errno) { try container.unlink(name, directory: true) } catch Errno.noEntry {}
        try container.makeDirectory(name, mode: 0o755)
        return try LeafDescriptors(container, name)
    }

    // MARK: - What a leaf says of itself

    /// Its exec has ended by itself: it may serve the next.
    func keep(_ number: Int, _ descriptors: LeafDescriptors) {
        let isKept = state.withLock { state in
            let isKept = !state.isClosed && state.leftCount < Self.leftMax
            if isKept { state.leaves[number] = .left(descriptors) }
            return isKept
        }
        if isKept { return }
        // With what the exec left running there it stays, and is found busy. Only then may its number be taken again.
        _ = remove(number)
        forget(number)
    }

    /// Its number is free.
    func forget(_ number: Int) { state.withLock { $0.leaves[number] = nil } }

    /// False while it is not empty.
    func remove(_ number: Int) -> Bool {
        do throws(Errno) {
            try open().unlink(name(number), directory: true)
            return true
        } catch {
            return error != .busy
        }
    }
}

/// An open leaf: its directory, and the file that tells whether somebody lives there.
final class LeafDescriptors: Sendable {
    let cgroup: OwnedFD
    private let events: OwnedFD
    /// clone3(2) asks whether this file may be written: held open, it is not looked up and forgotten each time.
    private let processes: OwnedFD

    init(_ container: borrowing OwnedFD, _ name: Path) throws(Errno) {
        let cgroup = try container.open(name, [.readOnly, .directory])
        events = try cgroup.open("cgroup.events", .readOnly)
        processes = try cgroup.open("cgroup.procs", .path)
        self.cgroup = cgroup
    }

    /// Throws where the cgroup was removed.
    func isPopulated() throws(Errno) -> Bool { try events.isPopulatedInCgroupEvents() }
}
