extension Manifest {
    /// Finds what a pod refers to and the file does not have, before anything is made of it.
    package func checkReferences(_ problems: ManifestProblems) {
        for pod in pods {
            let facts = PodFacts(uid: "", ip: "", nodeName: "", nodeIP: "")
            let resolver = ValueResolver(self, pod, facts)
            for name in pod.pullSecrets where secrets["\(pod.namespace)/\(name)"] == nil {
                // A kubelet pulls without it, too.
                problems.unhonoured.append(
                    "the imagePullSecret \"\(name)\" of pod \"\(pod.name)\" cannot be honoured: the file has no such Secret"
                )
            }
            for volume in pod.volumes {
                note(problems) { () throws(ManifestError) in _ = try resolver.files(of: volume) }
            }
            for container in pod.containers {
                note(problems) { () throws(ManifestError) in _ = try resolver.environment(of: container) }
            }
        }
    }

    private func note(_ problems: ManifestProblems, _ body: () throws(ManifestError) -> Void) {
        do throws(ManifestError) { try body() } catch { problems.errors.append(error.description) }
    }
}

/// A file of a volume that is made of values.
package struct VolumeFile: Equatable, Sendable {
    /// Relative, without "..".
    package var path: String
    package var bytes: [UInt8]
    package var mode: Int64
}

extension ValueResolver {
    /// The files of a volume; nil for kinds that have none to begin with.
    package func files(of volume: VolumeManifest) throws(ManifestError) -> [VolumeFile]? {
        try files(volume.source, volume)
    }

    private func files(
        _ source: VolumeManifest.Source, _ volume: VolumeManifest
    ) throws(ManifestError) -> [VolumeFile]? {
        switch source {
        case .emptyDir, .hostPath: return nil
        case .projected(let parts):
            var files: [VolumeFile] = []
            for part in parts {
                let added = try self.files(part, volume) ?? []
                // As a kubelet has it: of two files in one place the later stands.
                files.removeAll { file in added.contains { $0.path == file.path } }
                files += added
            }
            return files
        case .configMap(let name, let items, let mode, let isOptional):
            return try files(volume, .configMap(name, key: ""), items, mode, isOptional)
        case .secret(let name, let items, let mode, let isOptional):
            return try files(volume, .secret(name, key: ""), items, mode, isOptional)
        case .downwardAPI(let items, let mode):
            var files: [VolumeFile] = []
            for item in items {
                let text = try value(item.source, nil, volume.line)
                files.append(VolumeFile(path: item.path, bytes: Array(text.utf8), mode: item.mode ?? mode))
            }
            return files
        }
    }

    private func files(
        _ volume: VolumeManifest, _ source: ValueSource, _ items: [VolumeManifest.Item], _ mode: Int64,
        _ isOptional: Bool
    ) throws(ManifestError) -> [VolumeFile] {
        let object: [String: [UInt8]]
        do throws(ManifestError) { object = try self.object(source, volume.line) } catch {
            if isOptional { return [] }
            throw error
        }
        guard !items.isEmpty else {
            return object.sorted { $0.key < $1.key }.map { VolumeFile(path: $0.key, bytes: $0.value, mode: mode) }
        }
        var files: [VolumeFile] = []
        for item in items {
            if let bytes = object[item.key] {
                files.append(VolumeFile(path: item.path, bytes: bytes, mode: item.mode ?? mode))
            } else if !isOptional {
                throw ManifestError("line \(volume.line): volume \"\(volume.name)\" has no key \"\(item.key)\" to show")
            }
        }
        return files
    }
}
