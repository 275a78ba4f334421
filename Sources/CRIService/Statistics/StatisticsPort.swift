package import Cgroups
package import Model

/// What running pods and containers use. Conformer: the daemon's adapter on `Cgroups`, /proc and the writable layers.
package protocol StatisticsPort: Sendable {
    /// What the kernel counted for cgroups (paths below the cgroup2 mount), in their order; nil where one is gone.
    func usage(ofCgroups paths: [String]) async throws -> [CgroupUsage?]
    /// The last finished measurements of writable layers. One that is missing or old is made soon, not by this call.
    func writableLayers(of containers: [ContainerID]) async -> [ContainerID: FilesystemUse]
    /// The network interfaces of a pod with a network of its own; nil where its supervisor is gone.
    func interfaces(of pod: PodID) async -> [InterfaceUse]?
}

/// One reading of a cgroup.
package struct CgroupUsage: Sendable, Equatable {
    /// Nanoseconds since 1970 when it was read.
    package var timestamp: Int64
    package var counted: CgroupStatistics
    /// CPU use in billionths of a core since a reading at least a second ago; nil where there was none.
    package var nanoCores: UInt64?

    package init(timestamp: Int64, counted: CgroupStatistics, nanoCores: UInt64?) {
        self.timestamp = timestamp
        self.counted = counted
        self.nanoCores = nanoCores
    }
}

/// Counters of a network interface, as proc_pid_net(5) has them in `dev`.
package struct InterfaceUse: Sendable, Equatable {
    package var name: String
    package var receivedBytes: UInt64
    package var receiveErrors: UInt64
    package var sentBytes: UInt64
    package var sendErrors: UInt64

    package init(name: String, receivedBytes: UInt64, receiveErrors: UInt64, sentBytes: UInt64, sendErrors: UInt64) {
        self.name = name
        self.receivedBytes = receivedBytes
        self.receiveErrors = receiveErrors
        self.sentBytes = sentBytes
        self.sendErrors = sendErrors
    }
}
