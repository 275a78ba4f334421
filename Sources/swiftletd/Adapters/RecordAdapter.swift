import LaunchProtocol
import Lifecycle
import Linux
import Logging
import Model
import StateStore
import SupervisorClient

/// The lifecycle's records, by way of `StateStore`, and the exit records of supervisors.
struct RecordAdapter: RecordPort {
    private let pods: StateStore<PodRecord>
    private let containers: StateStore<ContainerRecord>
    private let paths: Layout
    private let pool: BlockingPool
    private let log: Logger
    let bootID: String

    init(root: StateRoot, paths: Layout, pool: BlockingPool, log: Logger) throws(Fault) {
        (pods, containers) = try Adapters.fault { () throws(StateError) in
            (try root.store(of: PodRecord.self), try root.store(of: ContainerRecord.self))
        }
        bootID = root.bootID
        self.paths = paths
        self.pool = pool
        self.log = log
    }

    func save(_ record: PodRecord) async throws {
        let pods = pods
        try await write { () throws(StateError) in try pods.write(record.id.text, record) }
    }

    func save(_ record: ContainerRecord) async throws {
        let containers = containers
        try await write { () throws(StateError) in try containers.write(record.id.text, record) }
    }

    func removePod(_ id: PodID) async throws {
        let pods = pods
        try await write { () throws(StateError) in try pods.remove(id.text) }
    }

    func removeContainer(_ id: ContainerID) async throws {
        let containers = containers
        try await write { () throws(StateError) in try containers.remove(id.text) }
    }

    func load() async throws -> (pods: [PodRecord], containers: [ContainerRecord]) {
        let (pods, containers) = (pods, containers)
        let (first, second) = try await pool.run {
            try Adapters.fault { () throws(StateError) in (try pods.list(), try containers.list()) }
        }
        for finding in first.findings + second.findings {
            log.warning("state on disk", metadata: ["finding": "\(finding)"])
        }
        return (first.records.map(\.record), second.records.map(\.record))
    }

    func exitRecord(_ pod: PodID, process: String) async throws -> ExitRecord? {
        let directory = paths.exits(pod)
        return try await pool.run {
            guard let exits = try OwnedFD.directory(ifPresent: directory) else { return nil }
            return try ExitRecords.read(Array(process.utf8), in: exits)
        }
    }

    private func write(_ body: @escaping @Sendable () throws(StateError) -> Void) async throws {
        try await pool.run { try Adapters.fault(body) }
    }
}

extension PodRecord: StateRecord {
    static var kind: String { "pods" }
    static var version: UInt32 { 1 }
}

extension ContainerRecord: StateRecord {
    static var kind: String { "containers" }
    static var version: UInt32 { 1 }
}
