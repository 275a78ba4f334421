import Cgroups
import ImageStore
import Lifecycle
import Linux
import Model

/// What is on the node without a record, as `Runtime.recover` finds and removes it.
struct Leftovers {
    let config: Config
    let paths: Layout

    func add(to preview: inout RecoveryPreview, pods: Set<PodID>, containers: [ContainerRecord]) throws {
        let setAside = Set(preview.items.filter { $0.action == .setAside }.map(\.id))
        for container in containers where !pods.contains(container.podID) {
            preview.items.append(
                .init(
                    kind: "container", id: container.id.text, name: container.config.metadata.name, action: .remove,
                    detail: "its pod has no record"))
        }
        let attachments = try names(in: paths.networks).compactMap { name in
            name.hasSuffix(".json") ? PodID(String(name.dropLast(5))) : nil
        }
        var found = Set(try names(in: paths.statePods).compactMap(PodID.init))
        found.formUnion(try names(in: paths.rootPods).filter { !setAside.contains($0) }.compactMap(PodID.init))
        found.formUnion(attachments)
        let mounts = try self.mounts()
        for pod in found.subtracting(pods).sorted(by: { $0.text < $1.text }) {
            preview.items.append(
                .init(
                    kind: "pod", id: pod.text, name: "", action: .remove,
                    detail: traces(of: pod, isAttached: attachments.contains(pod), mounts)))
        }
        let known = Set(containers.map(\.id))
        for container in try names(in: paths.rootContainers).filter({ !setAside.contains($0) })
            .compactMap(ContainerID.init) where !known.contains(container)
        {
            preview.items.append(
                .init(
                    kind: "container", id: container.text, name: "", action: .remove,
                    detail: "\(paths.containerRoot(container)) has no record"))
        }
        for name in try names(in: paths.networks) where name.hasSuffix(".running") {
            preview.items.append(
                .init(
                    kind: "plugin", id: String(name.dropLast(".running".count)), name: "", action: .remove,
                    detail: "a network plugin of a daemon that ended; it is ended if it still runs"))
        }
        let layers = try UnneededLayers.find(in: paths.images, kept: Set(containers.flatMap(\.image.layers)))
        for layer in layers {
            preview.items.append(
                .init(
                    kind: "layer", id: layer, name: "", action: .remove,
                    detail: "\(paths.images)/layers/\(layer) belongs to no image and no container"))
        }
    }

    /// What there is of a pod without a record.
    private func traces(of pod: PodID, isAttached: Bool, _ mounts: [String]) -> String {
        var traces: [String] = []
        for directory in [paths.podRoot(pod), paths.podState(pod)] where exists(directory) { traces.append(directory) }
        let own = mounts.filter { $0.hasPrefix(paths.podState(pod) + "/") }
        if !own.isEmpty { traces.append("mounts at \(own.joined(separator: ", "))") }
        if isAttached { traces.append("an attachment to the network") }
        if let cgroup = supervisorCgroup(pod), exists(cgroup) { traces.append(cgroup) }
        return "it has no record; found: " + traces.joined(separator: "; ")
    }

    private func supervisorCgroup(_ pod: PodID) -> String? {
        do throws(CgroupError) {
            let mount = config.cgroup.mount.isEmpty ? try Cgroups.mountPoint() : config.cgroup.mount
            let own = try OwnCgroup(configured: config.cgroup.own, current: "/")
            return mount + (try own.supervisor(pod)).description
        } catch {
            // A node without cgroups has none of a pod.
            return nil
        }
    }

    private func mounts() throws(Fault) -> [String] {
        try Adapters.step("read", "/proc/self/mountinfo") { () throws(Errno) in
            try MountInfo.current().map { String(decoding: $0.mountPoint, as: UTF8.self) }
        }
    }

    private func exists(_ path: String) -> Bool {
        do throws(Errno) {
            _ = try OwnedFD.open(Path(path), [.path])
            return true
        } catch { return false }
    }

    /// Sorted; none where the directory is missing.
    private func names(in directory: String) throws(Fault) -> [String] {
        try Adapters.step("list", directory) { () throws(Errno) in
            guard let opened = try OwnedFD.directory(ifPresent: directory) else { return [] }
            return try opened.entries(max: 1 << 20).map { String(decoding: $0.name, as: UTF8.self) }.sorted()
        }
    }
}
