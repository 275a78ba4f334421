// Volumes, and the files in them.
extension PodReader {
    func volume(_ fields: ManifestFields) -> VolumeManifest? {
        let name = fields.required("name")
        if !isLabel(name) { fields.error("name", "is \"\(name)\", not a DNS label") }
        var source: VolumeManifest.Source?
        if let empty = fields.fields("emptyDir") {
            source = .emptyDir
            empty.cannot("medium", "sizeLimit")
            empty.end()
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
        if let map = fields.fields("configMap") {
            source = .configMap(
                map.required("name"), items: map.objects("items").map(item), mode: mode(map, "defaultMode") ?? 0o644,
                isOptional: map.bool("optional") ?? false)
            map.end()
        }
        if let secret = fields.fields("secret") {
            source = .secret(
                secret.required("secretName"), items: secret.objects("items").map(item),
                mode: mode(secret, "defaultMode") ?? 0o644, isOptional: secret.bool("optional") ?? false)
            secret.end()
        }
        if let downward = fields.fields("downwardAPI") {
            let items = downward.objects("items").compactMap { item -> VolumeManifest.Downward? in
                let path = relative(item, "path")
                let mode = mode(item, "mode")
                guard let source = self.source(item) else { return nil }
                item.end()
                return .init(path: path, source: source, mode: mode)
            }
            source = .downwardAPI(items, mode: mode(downward, "defaultMode") ?? 0o644)
            downward.end()
        }
        let others = [
            "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "ephemeral", "fc",
            "flexVolume",
            "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "image", "iscsi", "nfs", "persistentVolumeClaim",
            "photonPersistentDisk", "portworxVolume", "projected", "quobyte", "rbd", "scaleIO", "storageos",
            "vsphereVolume",
        ]
        var isOther = false
        for other in others where fields.node(other) != nil {
            isOther = true
            problems.errors.append(
                "line \(fields.line): \(fields.path).\(other): volumes of this kind cannot be honoured")
        }
        fields.end()
        if source == nil, !isOther { fields.error("", "has no source") }
        return source.map { VolumeManifest(name: name, source: $0, line: fields.line) }
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
