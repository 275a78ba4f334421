import Lifecycle
import Linux
import Model
import Planner

/// Directories, generated files and mounts of pods and containers on the node.
struct HostAdapter: HostPort {
    let paths: Layout
    let pool: BlockingPool
    let shmBytes: Int64
    let nodeFacts: NodeFacts

    var layout: any LayoutPort { paths }

    // MARK: Pods

    func makePod(_ record: PodRecord) async throws {
        let paths = paths
        let shmBytes = shmBytes
        try await pool.run {
            try Adapters.step("make directories of pod", record.id.short) { () throws(Errno) in
                let state = try OwnedFD.makeDirectories(paths.podState(record.id))
                try state.makeDirectory(Path(Layout.PodState.anchor), mode: 0o700)
                let root = try OwnedFD.makeDirectories(paths.podRoot(record.id))
                try root.makeDirectory(Path(Layout.PodRoot.exits), mode: 0o700)
                try root.makeDirectory(Path(Layout.PodRoot.etc), mode: 0o700)
                if record.config.namespaces.network != .node {
                    try state.open(
                        Path(Layout.PodState.networkNamespace), [.writeOnly, .create, .exclusive], mode: 0o600
                    )
                    .close()
                }
                if record.config.namespaces.ipc != .node {
                    try state.makeDirectory(Path(Layout.PodState.sharedMemory), mode: 0o700)
                    try MountTable.mount(
                        type: "tmpfs", at: Path(paths.sharedMemory(record.id)),
                        flags: [.noSetuid, .noDevices, .noExecute],
                        data: Path("mode=1777,size=\(shmBytes)"))
                }
            }
            try PodFiles.write(for: record, into: paths.podRoot(record.id) + "/" + Layout.PodRoot.etc)
        }
    }

    func releasePod(_ id: PodID) async throws {
        let paths = paths
        try await pool.run {
            try Adapters.step("release mounts of pod", id.short) { () throws(Errno) in
                for path in [paths.networkNamespace(id), paths.sharedMemory(id)] { try Self.unmountAll(path) }
                do throws(Errno) {
                    try OwnedFD.open(Path(paths.statePods), [.readOnly, .directory]).removeTree(Path(id.text))
                } catch Errno.noEntry {}
            }
        }
    }

    func removePod(_ id: PodID) async throws {
        try await releasePod(id)
        let paths = paths
        try await pool.run {
            try Adapters.step("remove directories of pod", id.short) { () throws(Errno) in
                do throws(Errno) {
                    try OwnedFD.open(Path(paths.rootPods), [.readOnly, .directory]).removeTree(Path(id.text))
                } catch Errno.noEntry {}
            }
        }
    }

    /// Unmounts until nothing is mounted there; a missing path, or one that is no mount, is success.
    private static func unmountAll(_ path: String) throws(Errno) {
        for _ in 0..<16 {
            do throws(Errno) {
                try MountTable.unmount(Path(path), detaching: true)
            } catch Errno.invalidArgument {
                return
            } catch Errno.noEntry {
                return
            }
        }
    }

    // MARK: Containers

    func makeContainer(_ record: ContainerRecord) async throws {
        let paths = paths
        try await pool.run {
            try Adapters.step("make directories of container", record.id.short) { () throws(Errno) in
                let root = try OwnedFD.makeDirectories(paths.containerRoot(record.id))
                // The upper directory's mode is the mode of the container's "/".
                try root.makeDirectory("upper", mode: 0o755)
                try root.makeDirectory("work", mode: 0o700)
                if !record.volumes.isEmpty { try root.makeDirectory("volumes", mode: 0o700) }
                for volume in record.volumes { try root.makeDirectory(Path(volume.directory), mode: 0o755) }
            }
        }
    }

    func removeContainer(_ id: ContainerID) async throws {
        let paths = paths
        try await pool.run {
            try Adapters.step("remove directories of container", id.short) { () throws(Errno) in
                do throws(Errno) {
                    try OwnedFD.open(Path(paths.rootContainers), [.readOnly, .directory]).removeTree(Path(id.text))
                } catch Errno.noEntry {}
            }
        }
    }

    func leftovers() async throws -> (pods: [PodID], containers: [ContainerID]) {
        let paths = paths
        return try await pool.run {
            var pods = Set(try Self.names(in: paths.statePods).compactMap(PodID.init))
            pods.formUnion(try Self.names(in: paths.rootPods).compactMap(PodID.init))
            return (Array(pods), try Self.names(in: paths.rootContainers).compactMap(ContainerID.init))
        }
    }

    private static func names(in directory: String) throws -> [String] {
        try Adapters.step("list", directory) { () throws(Errno) in
            try OwnedFD.open(Path(directory), [.readOnly, .directory]).entries(max: 1 << 20).map {
                String(decoding: $0.name, as: UTF8.self)
            }
        }
    }

    // MARK: Facts

    func complete(_ facts: ContainerFacts, for config: ContainerConfig) async throws -> ContainerFacts {
        guard NodeFacts.isNeeded(for: config) else { return facts }
        let nodeFacts = nodeFacts
        return try await pool.run { try nodeFacts.complete(facts, for: config) }
    }

    func setOOMScoreAdj(pid: Int32, cgroup: String, value: Int64) async throws {
        try await pool.run {
            try Adapters.step("set oom_score_adj of process", "\(pid)") { () throws(Errno) in
                // The directory stands for this process, not for its number; the cgroup proves that it is the container's.
                let process = try OwnedFD.open(Path("/proc/\(pid)"), [.readOnly, .directory])
                let member = try process.readFile("cgroup", max: 1 << 16)
                let name = Array(cgroup.utf8)
                guard
                    member.split(separator: 0x0a).contains(where: {
                        $0.starts(with: "0::".utf8) && $0.dropFirst(3).elementsEqual(name)
                    })
                else { throw .noProcess }
                try process.open("oom_score_adj", [.writeOnly]).writeAll(Array("\(value)".utf8))
            }
        }
    }
}
