import CRIProto
import Play
import SwiftProtobuf

extension PodPlan {
    /// A volume of a container in the runtime's words; none for a volume that was left out.
    func mount(
        _ index: Int, of spec: ContainerManifest, _ values: [String: String]
    ) throws(ManifestError) -> [Runtime_V1_Mount] {
        let mount = spec.mounts[index]
        guard let volume = pod.volumes.first(where: { $0.name == mount.volume }) else { return [] }
        let part = try path(of: mount, values)
        var place = root(of: volume)
        var isReadOnly = mount.isReadOnly
        switch volume.source {
        case .hostPath, .emptyDir:
            if !part.isEmpty { place = "\(directory.subPaths)/\(Self.subPathName(index, of: spec))" }
        // As a kubelet: nobody changes what the manifest says.
        case .configMap, .secret, .downwardAPI, .projected:
            if !part.isEmpty { place += "/" + part }
            isReadOnly = true
        }
        return [
            .with {
                $0.containerPath = mount.path
                $0.hostPath = place
                $0.readonly = isReadOnly
                switch mount.propagation {
                case "HostToContainer": $0.propagation = .propagationHostToContainer
                case "Bidirectional": $0.propagation = .propagationBidirectional
                default: $0.propagation = .propagationPrivate
                }
            }
        ]
    }

    /// Mounts the parts of volumes that a container is about to see and that containers may write.
    func mountSubPaths(of spec: ContainerManifest, facts: PodFacts) throws {
        let environment = try ValueResolver(manifest, pod, facts).environment(of: spec)
        let values = Dictionary(environment.map { ($0.name, $0.value) }) { $1 }
        for (index, mount) in spec.mounts.enumerated() {
            guard let volume = pod.volumes.first(where: { $0.name == mount.volume }) else { continue }
            let part = try path(of: mount, values)
            switch volume.source {
            case .configMap, .secret, .downwardAPI, .projected: continue
            case .hostPath, .emptyDir:
                if part.isEmpty { continue }
                try SubPath(root: root(of: volume), path: part)
                    .mount(on: Self.subPathName(index, of: spec), in: directory.subPaths)
            }
        }
    }

    private static func subPathName(_ index: Int, of spec: ContainerManifest) -> String { "\(spec.name)-\(index)" }

    private func root(of volume: VolumeManifest) -> String {
        if case .hostPath(let path, _) = volume.source { return path }
        return directory.volume(volume.name)
    }

    /// The part of the volume that is meant, with variables put in.
    private func path(of mount: VolumeMount, _ values: [String: String]) throws(ManifestError) -> String {
        guard mount.expandsSubPath else { return mount.subPath }
        let path = expanded(mount.subPath, values)
        if path.isEmpty || path.hasPrefix("/") || path.split(separator: "/").contains("..") || path.contains("$(") {
            throw ManifestError(
                "the subPathExpr \"\(mount.subPath)\" becomes \"\(path)\", which is no path in a volume")
        }
        return path
    }
}
