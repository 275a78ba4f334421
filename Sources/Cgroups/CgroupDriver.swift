package import Model

/// Who makes cgroups and how they are named. The CRI's `RuntimeConfig` reports it, and the kubelet then uses the same.
///
/// A driver that asks systemd for a scope becomes a second case: it names the cgroup here and makes it in
/// `Cgroups.create`; limits, statistics, kill and removal are the same files for both.
package enum CgroupDriver: String, Sendable, CaseIterable {
    /// We make directories ourselves.
    case cgroupfs
}

/// The names of cgroups. Node monitoring joins containers to cgroups by them: the last path element is the prefix, the
/// id and the suffix.
package struct CgroupNames: Sendable, Equatable {
    package let driver: CgroupDriver
    package let prefix: String
    package let suffix: String

    /// - Parameters:
    ///   - prefix: comes before every id, for example `swiftlet-`; may be empty.
    ///   - suffix: comes after every id, for example `.scope`; may be empty.
    package init(driver: CgroupDriver, prefix: String, suffix: String = "") throws(CgroupError) {
        for (part, text) in [("prefix", prefix), ("suffix", suffix)] {
            let isPlain = text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
                default: false
                }
            }
            guard isPlain, text.utf8.count <= 64 else {
                throw .badPath(text, why: "a \(part) is at most 64 letters, digits, \"-\", \"_\" and \".\"")
            }
        }
        self.driver = driver
        self.prefix = prefix
        self.suffix = suffix
    }

    /// The cgroup of a container whose pod has the CRI's `cgroup_parent`.
    package func container(_ id: ContainerID, parent: String) throws(CgroupError) -> CgroupPath {
        try CgroupPath(parent: parent).appending(prefix + id.text + suffix)
    }

    /// The cgroup of a sandbox: it holds the pod's init process, or nothing.
    package func sandbox(_ id: PodID, parent: String) throws(CgroupError) -> CgroupPath {
        try CgroupPath(parent: parent).appending(prefix + id.text + suffix)
    }
}
