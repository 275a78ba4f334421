import Foundation
import Linux
import SupervisorClient
import Synchronization
import TestKit

/// A thread in a mount namespace of its own whose `/` is shared (a systemd node's state), so that tests can mount things "on
/// the node" without touching the real one. It ends with the object, and its mounts with its last process.
final class MountNamespace: Sendable {
    private typealias Work = @Sendable () -> Void

    private final class Queue: Sendable {
        let work = Mutex<[Work?]>([])
        let signal = DispatchSemaphore(value: 0)

        func add(_ piece: Work?) {
            work.withLock { $0.append(piece) }
            signal.signal()
        }
    }

    private let queue = Queue()

    init() async throws {
        let queue = self.queue
        Thread {
            while true {
                queue.signal.wait()
                guard let piece = queue.work.withLock({ $0.removeFirst() }) else { return }
                piece()
            }
        }.start()
        try await run {
            try NamespaceFlags.mount.unshare()
            // First cut off from the real node, whatever its state is.
            try MountTable.makeAllSlaves()
            try MountTable.makeAllShared()
        }
    }

    deinit { queue.add(nil) }

    /// Runs something in the namespace.
    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.add { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Mounts a tmpfs with one file in it.
    func mountTmpfs(at path: String, file: String = "here", size: String = "1m") async throws {
        try await run {
            try MountTable.mount(type: "tmpfs", at: Path(path), flags: [], data: Path("size=\(size)"))
            let directory = try OwnedFD.open(Path(path), [.readOnly, .directory])
            try directory.open(Path(file), [.writeOnly, .create], mode: 0o644).writeAll(Array("\(file)\n".utf8))
        }
    }

    func unmount(_ path: String) async throws { try await run { try MountTable.unmount(Path(path), detaching: true) } }

    func mountPoints() async throws -> [String] {
        try await run {
            // Of this thread: /proc/self is the process's first one.
            let table = try OwnedFD.open("/proc/thread-self/mountinfo", .readOnly).readToEnd(max: 8 << 20)
            return MountInfo.parse(table).map { String(decoding: $0.mountPoint, as: UTF8.self) }
        }
    }
}

extension TestPod {
    /// Spawns the supervisor in another mount namespace, and connects.
    func spawn(in namespace: MountNamespace) async throws {
        let birth = try await namespace.run {
            try self.spawner.start(
                self.id, plan: self.birthPlan(), podDirectory: try self.directory("pod"),
                exitDirectory: try self.directory("exits"), cgroup: try self.cgroupDescriptor("supervisor"))
        }
        try await birth.finish(on: reactor, within: .seconds(30))
        try await connect()
    }
}
