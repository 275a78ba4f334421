// Volumes, and the files in them.
extension PodReader {
    func volume(_ fields: ManifestFields) -> VolumeManifest? {
        let name = fields.required("name")
        if !isLabel(name) { fields.error("name", "is \"\(name)\", not a DNS label") }
        var source: VolumeManifest.Source?
        if let empty = fields.fields("emptyDir") {
            source = emptyDir(empty)
        }
        if let host = fields.fields("hostPath") {
            let type = host.string("type") ?? ""
            let types = [
                "", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice",
            ]
            if !types.contains(type) {
                host.error("type", "is not one of \(types.dropFirst().joined(separator: ", "))")
            }
            let path = host.required("path")
            if !path.hasPrefix("/") || path.split(separator: "/").contains("..") {
                host.error("path", "is not an absolute path without \"..\"")
            }
            source = .hostPath(path, type: type)
            host.end()
        }
        if let map = fields.fields("configMap") { source = configMap(map, mode(map, "defaultMode") ?? 0o644) }
        if let secret = fields.fields("secret") {
            source = self.secret(secret, name: "secretName", mode(secret, "defaultMode") ?? 0o644)
        }
        if let downward = fields.fields("downwardAPI") {
            source = downwardAPI(downward, mode(downward, "defaultMode") ?? 0o644)
        }
        if let projected = fields.fields("projected") { source = self.projected(projected) }
        let others = [
            "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "ephemeral", "fc",
            "flexVolume",
            "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "image", "iscsi", "nfs", "persistentVolumeClaim",
            "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos",
            "vsphereVolume",
        ]
        for other in others where fields.node(other) != nil {
            problems.unhonoured.append(
                "line \(fields.line): \(fields.path).\(other): volumes of this kind cannot be honoured")
            // For those who run the pod all the same: an empty directory is in its place.
            source = .emptyDir(isInMemory: false, sizeLimit: nil)
        }
        fields.end()
        if source == nil { fields.error("", "has no source") }
        return source.map { VolumeManifest(name: name, source: $0, line: fields.line) }
    }

    private func emptyDir(_ fields: ManifestFields) -> VolumeManifest.Source {
        let medium = fields.string("medium") ?? ""
        if medium != "", medium != "Memory" { fields.cannot("medium") }
        var limit: Int64?
        if medium == "Memory" {
            if let text = fields.word("sizeLimit") {
                limit = Quantity(text)?.whole
                if limit == nil { fields.error("sizeLimit", "is \"\(text)\", not a quantity") }
            }
        } else {
            // A kubelet evicts the pod that exceeds it.
            fields.cannot("sizeLimit")
        }
        fields.end()
        return .emptyDir(isInMemory: medium == "Memory", sizeLimit: limit)
    }

    private func configMap(_ fields: ManifestFields, _ mode: Int64) -> VolumeManifest.Source {
        let source = VolumeManifest.Source.configMap(
            fields.required("name"), items: fields.objects("items").map(item), mode: mode,
            isOptional: fields.bool("optional") ?? false)
        fields.end()
        return source
    }

    private func secret(_ fields: ManifestFields, name: String, _ mode: Int64) -> VolumeManifest.Source {
        let source = VolumeManifest.Source.secret(
            fields.required(name), items: fields.objects("items").map(item), mode: mode,
            isOptional: fields.bool("optional") ?? false)
        fields.end()
        return source
    }

    private func downwardAPI(_ fields: ManifestFields, _ mode: Int64) -> VolumeManifest.Source {
        let items = fields.objects("items").compactMap { item -> VolumeManifest.Downward? in
            let path = relative(item, "path")
            let mode = self.mode(item, "mode")
            guard let (source, _) = self.source(item) else { return nil }
            item.end()
            return .init(path: path, source: source, mode: mode)
        }
        fields.end()
        return .downwardAPI(items, mode: mode)
    }

    /// The parts have no modes of their own, and secrets there are named by `name`.
    private func projected(_ fields: ManifestFields) -> VolumeManifest.Source {
        let mode = self.mode(fields, "defaultMode") ?? 0o644
        var parts: [VolumeManifest.Source] = []
        for part in fields.objects("sources") {
            if let map = part.fields("configMap") { parts.append(configMap(map, mode)) }
            if let secret = part.fields("secret") { parts.append(self.secret(secret, name: "name", mode)) }
            if let downward = part.fields("downwardAPI") { parts.append(downwardAPI(downward, mode)) }
            part.cannot("serviceAccountToken", "clusterTrustBundle", "podCertificate")
            part.end()
        }
        fields.end()
        return .projected(parts)
    }

    func item(_ fields: ManifestFields) -> VolumeManifest.Item {
        let item = VolumeManifest.Item(
            key: fields.required("key"), path: relative(fields, "path"), mode: mode(fields, "mode"))
        fields.end()
        return item
    }

    func mode(_ fields: ManifestFields, _ name: String) -> Int64? { fields.integer(name, 0...0o777) }

    func relative(_ fields: ManifestFields, _ name: String) -> String {
        let path = fields.required(name)
        if path.hasPrefix("/") || path.split(separator: "/").contains("..") {
            fields.error(name, "leads out of the volume")
        }
        return path
    }

    func isLabel(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 253
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
            && name.utf8.first != 46 && name.utf8.first != 45
    }
}
