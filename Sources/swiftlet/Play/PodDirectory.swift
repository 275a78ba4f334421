import CLICore
import Foundation
import Linux
import Play

/// What `play` keeps of a pod on the disk: logs, volumes, and what containers say at their end.
///
///     <state>/<uid>/logs/<container>/<attempt>.log
///     <state>/<uid>/volumes/<name>/...  mounts of their own where the files live in memory
///     <state>/<uid>/subpaths/<container>-<number>  mounts: parts of volumes that containers may write
///     <state>/<uid>/messages/<container>-<attempt>
///     <state>/<uid>/hosts               the containers' /etc/hosts
///     <state>/<uid>/runtime             the endpoint of the runtime that has the pod
///     <state>/<uid>/ending              there once the pod's end was asked for
///
/// <state> and <state>/<uid> are their owner's alone: secrets lie below. Containers see parts of it through mounts.
struct PodDirectory: Sendable {
    static let standardState = "/var/lib/swiftlet-play"
    private static let messageBytesMax = 4096
    private static let logEndBytes: UInt64 = 1 << 16
    private static let runtimeFile: Linux.Path = "runtime"
    private static let endingFile: Linux.Path = "ending"

    let state: String
    let uid: String

    /// The uid comes back from the runtime's labels: it is a name below `state` or nothing.
    init?(state: String, uid: String) {
        guard !uid.isEmpty, uid.utf8.count <= 64,
            uid.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 })
        else { return nil }
        self.state = state
        self.uid = uid
    }

    var path: String { "\(state)/\(uid)" }
    var logs: String { "\(path)/logs" }
    var subPaths: String { "\(path)/subpaths" }
    var hosts: String { "\(path)/hosts" }
    func volume(_ name: String) -> String { "\(path)/volumes/\(name)" }
    func message(_ container: String, _ attempt: Int) -> String { "\(path)/messages/\(container)-\(attempt)" }

    // MARK: - Making

    /// Makes everything that is there before the pod is. Until the lock is let go, nobody else drives the pod.
    func make(
        _ manifest: Manifest, _ pod: PodManifest, _ facts: PodFacts, nodeMemoryBytes: Int64, runtime: String
    ) throws(Failure) -> PodLock {
        let state = try openState()
        let lock: PodLock?
        do throws(Errno) {
            try state.makeDirectory(Linux.Path(uid), mode: 0o700)
            let top = try state.open(Linux.Path(uid), [.readOnly, .directory, .noFollow])
            lock = try PodLock(try top.reopen([.readOnly, .directory]))
            // Only now: what has no such file is nobody's leftover.
            try top.replaceFile(Self.runtimeFile, Array(runtime.utf8))
            for name in ["logs", "volumes", "subpaths", "messages"] as [Linux.Path] {
                try top.makeDirectory(name, mode: 0o700)
            }
            let logs = try top.open("logs", [.readOnly, .directory, .noFollow])
            for container in pod.containers { try logs.makeDirectory(Linux.Path(container.name), mode: 0o700) }
        } catch {
            throw Failure("make the directory \"\(path)\": \(error)")
        }
        try makeVolumes(manifest, pod, facts, nodeMemoryBytes: nodeMemoryBytes)
        guard let lock else { throw Failure("another process holds the directory \"\(path)\"") }
        return lock
    }

    private func openState() throws(Failure) -> OwnedFD {
        do {
            try FileManager.default.createDirectory(
                atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure("make the directory \"\(state)\": \(error.localizedDescription)")
        }
        do throws(Errno) {
            let directory = try OwnedFD.open(Linux.Path(state), [.readOnly, .directory])
            let status = try directory.status()
            if status.uid == CurrentProcess.effectiveUID, status.mode & 0o022 == 0 { return directory }
        } catch {
            throw Failure("open the directory \"\(state)\": \(error)")
        }
        throw Failure(
            "the directory \"\(state)\" belongs to others or can be written by others: choose another --state-dir")
    }

    // MARK: - Taking over

    /// The lock of a pod that is there; nil if another process drives it.
    func lock() throws(Failure) -> PodLock? {
        do throws(Errno) { return try PodLock(try open()) } catch {
            throw Failure("lock the directory \"\(path)\": \(error)")
        }
    }

    /// Whether it is there.
    var exists: Bool {
        do throws(Errno) { return try open().status().kind == .directory } catch { return false }
    }

    /// The endpoint of the runtime that has the pod; nil if that was not noted.
    var runtime: String? {
        var text: String?
        bestEffort { text = String(decoding: try open().readFile(Self.runtimeFile, max: 4096), as: UTF8.self) }
        return text
    }

    /// Whether the pod's end was asked for.
    var isEnding: Bool {
        do throws(Errno) { return try open().status(Self.endingFile).kind == .regular } catch { return false }
    }

    /// Notes that the pod is to end, for a process that takes it over.
    func noteEnding() { bestEffort { try open().replaceFile(Self.endingFile, []) } }

    func open() throws(Errno) -> OwnedFD {
        try OwnedFD.open(Linux.Path(path), [.readOnly, .directory, .noFollow])
    }

    /// Those of all pods below a directory.
    static func all(in state: String) throws(Failure) -> [PodDirectory] {
        do throws(Errno) {
            let entries = try OwnedFD.open(Linux.Path(state), [.readOnly, .directory]).entries(max: podsMax)
            return entries.compactMap { PodDirectory(state: state, uid: String(decoding: $0.name, as: UTF8.self)) }
        } catch Errno.noEntry {
            return []
        } catch {
            throw Failure("list the directory \"\(state)\": \(error)")
        }
    }

    private static let podsMax = 100_000

    // MARK: - One container

    /// The file that a container may write its last words to.
    func makeMessage(_ container: String, _ attempt: Int) throws(Failure) {
        do throws(Errno) {
            let messages = try OwnedFD.open(Linux.Path("\(path)/messages"), [.readOnly, .directory, .noFollow])
            let file = try messages.open(
                Linux.Path("\(container)-\(attempt)"), [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
            try file.changeMode(0o666)
        } catch {
            throw Failure("make \"\(message(container, attempt))\": \(error)")
        }
    }

    /// What a container said at its end; empty if it said nothing.
    func readMessage(_ container: String, _ attempt: Int) -> String {
        var bytes: [UInt8] = []
        bestEffort {
            let directory = try OwnedFD.open(Linux.Path("\(path)/messages"), [.readOnly, .directory, .noFollow])
            bytes = try directory.open(
                Linux.Path("\(container)-\(attempt)"), [.readOnly, .noFollow, .nonBlocking]
            ).read(max: Self.messageBytesMax)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The end of a container's log as a kubelet takes it for a message: 80 lines or 2048 bytes at most.
    func readLogEnd(_ container: String, _ attempt: Int) -> String {
        var text = ""
        bestEffort {
            let file = try FileHandle(
                forReadingFrom: URL(filePath: "\(logs)/\(PodPlan.logName(container, attempt))"))
            let size = try file.seekToEnd()
            // Much more than 80 lines and their times need, and a record is never longer.
            try file.seek(toOffset: size > Self.logEndBytes ? size - Self.logEndBytes : 0)
            let bytes = Array(try file.read(upToCount: Int(Self.logEndBytes)) ?? Data())
            let lines = bytes.split(separator: UInt8(ascii: "\n")).compactMap { LogRecord($0) }.suffix(80)
            let words = lines.flatMap { Array($0.content) + [UInt8(ascii: "\n")] }
            text = String(decoding: words.suffix(2048), as: UTF8.self)
        }
        return text
    }

    /// Forgets an attempt that nobody asks for any more.
    func forget(_ container: String, _ attempt: Int) {
        bestEffort {
            try removeLogs("\(logs)/\(PodPlan.logName(container, attempt))")
            try OwnedFD.open(Linux.Path("\(path)/messages"), [.readOnly, .directory, .noFollow])
                .unlink(Linux.Path("\(container)-\(attempt)"))
        }
    }

    /// The file that containers see as /etc/hosts; made once, since they may write to it.
    func makeHosts(_ text: String) throws(Failure) {
        do throws(Errno) {
            let file = try open().open("hosts", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            try file.writeAll(Array(text.utf8)[...])
            try file.changeMode(0o644)
        } catch Errno.alreadyExists {
            return
        } catch {
            throw Failure("make \"\(hosts)\": \(error)")
        }
    }

    /// Removes it all; what containers wrote is hostile, so no path in it is followed and no mount is entered.
    func remove() throws(Failure) {
        try unmount()
        do throws(Errno) {
            try OwnedFD.open(Linux.Path(state), [.readOnly, .directory]).removeTree(Linux.Path(uid))
        } catch Errno.noEntry {
            return
        } catch {
            throw Failure("remove \"\(path)\": \(error)")
        }
    }
}
