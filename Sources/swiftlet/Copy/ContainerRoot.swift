import CLICore
import CRIProto
import Linux

/// The files of a running container as its process sees them, volumes too: /proc/<pid>/root of this machine (proc(5)).
///
/// The image needs no program for it. Every lookup is bound to the root (`RootDirectory`), so no link of the container's leads to
/// this machine's files (CVE-2018-15664 is what joined paths do here).
struct ContainerRoot: ~Copyable {
    let root: RootDirectory
    /// Who the container's process is; what is copied in belongs to it.
    let uid: UInt32
    let gid: UInt32

    /// Opens the files of a container by the id and the pid that its runtime tells.
    static func open(container id: String, pid: Int32) throws(Failure) -> ContainerRoot {
        do throws(Errno) {
            let proc = try OwnedFD.open("/proc", [.path, .directory])
            // Held open, the directory stays this process's own, whoever gets its number.
            return try open(container: id, process: try proc.open(Path(String(pid)), [.path, .directory]))
        } catch {
            let reason =
                switch error {
                case .noEntry, .noProcess: "its process is gone"
                case .permissionDenied: "permission denied (only root may)"
                // The process is somebody else's, or one of the machine's own.
                case .crossDevice:
                    "process \(pid) of this machine is not the container's: is the runtime on another one?"
                default: "\(error)"
                }
            throw Failure("open the container's files: \(reason)")
        }
    }

    private static func open(
        container id: String, process: borrowing OwnedFD
    ) throws(Errno) -> ContainerRoot {
        // Runtimes name the cgroup of a container after it.
        guard try text(process, "cgroup").contains(id) else { throw .crossDevice }
        guard let (uid, gid) = owner(try text(process, "status")) else { throw .inputOutput }
        let root = try process.open("root", [.path, .directory])
        let own = try OwnedFD.open("/", [.path, .directory]).status()
        let found = try root.status()
        guard (own.device, own.inode) != (found.device, found.inode) else { throw .crossDevice }
        return ContainerRoot(root: RootDirectory(root), uid: uid, gid: gid)
    }

    private static func text(_ process: borrowing OwnedFD, _ name: Path) throws(Errno) -> String {
        String(decoding: try process.open(name, .readOnly).readToEnd(max: 1 << 20), as: UTF8.self)
    }

    /// The ids that the process has with files: the fourth of "Uid:" and "Gid:".
    private static func owner(_ status: String) -> (UInt32, UInt32)? {
        func id(_ field: String) -> UInt32? {
            let line = status.split(separator: "\n").first { $0.hasPrefix(field) }
            guard let numbers = line?.dropFirst(field.count).split(whereSeparator: \.isWhitespace), numbers.count == 4
            else { return nil }
            return UInt32(numbers[3])
        }
        guard let uid = id("Uid:"), let gid = id("Gid:") else { return nil }
        return (uid, gid)
    }
}

extension Session {
    /// The process of a running container on this machine, as its runtime tells in the verbose status.
    func processID(of container: String) async throws -> Int32 {
        let response = try await containerStatus(container, verbose: true)
        guard response.status.state == .containerRunning else {
            throw Failure("container \"\(shortID(container))\" is not running")
        }
        // containerd and CRI-O put it into a JSON text of their own.
        var text = response.info["pid"] ?? ""
        if case .number(let digits)? = response.info["info"].map({ VerboseInfo.value($0) })?["pid"] { text = digits }
        guard let pid = Int32(text), pid > 0 else {
            throw Failure("the runtime does not tell the process of container \"\(shortID(container))\"")
        }
        return pid
    }
}
