/// The place of a cgroup below the root of the cgroup2 mount, free of "..", "." and empty names.
package struct CgroupPath: Hashable, Sendable, CustomStringConvertible {
    /// Names from the root downwards; none = the root itself.
    package let components: [String]

    /// The root of the mounted hierarchy.
    package static let root = CgroupPath(components: [])
    /// Where containers go whose pod names no parent.
    package static let defaultParent = CgroupPath(components: ["swiftlet"])

    /// A path as a client states it: absolute and relative mean the same, and empty means `/swiftlet` (see
    /// `cgroup_parent` in the CRI's `LinuxPodSandboxConfig`).
    package init(parent text: String) throws(CgroupError) {
        if text.isEmpty {
            self = .defaultParent
            return
        }
        guard text.utf8.count <= 3072 else {
            throw .badPath(String(text.prefix(64)) + "...", why: "longer than 3072 bytes")
        }
        var path = CgroupPath.root
        for name in text.split(separator: "/") { path = try path.appending(String(name)) }
        guard path != .root else { throw .badPath(text, why: "the root cgroup cannot hold pods") }
        self = path
    }

    private init(components: [String]) { self.components = components }

    /// The cgroup of that name below this one.
    package func appending(_ name: String) throws(CgroupError) -> CgroupPath {
        guard !name.isEmpty, name != ".", name != ".." else {
            throw .badPath(name, why: "\".\", \"..\" and \"\" are no names")
        }
        guard name.utf8.count <= 255 else {
            throw .badPath(String(name.prefix(64)) + "...", why: "a name is longer than 255 bytes")
        }
        guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x2f && $0 != 0x7f }) else {
            throw .badPath(name, why: "a name holds \"/\" or a control character")
        }
        return CgroupPath(components: components + [name])
    }

    /// The cgroup above; nil for the root.
    package var parent: CgroupPath? { components.isEmpty ? nil : CgroupPath(components: components.dropLast()) }
    package var name: String { components.last ?? "" }
    /// As /proc/PID/cgroup shows it.
    package var description: String { "/" + components.joined(separator: "/") }

    /// Whether this is `other` or lies below it.
    package func isInside(_ other: CgroupPath) -> Bool { components.starts(with: other.components) }
}
