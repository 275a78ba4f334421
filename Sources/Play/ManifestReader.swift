/// Reads a file of Pods, ConfigMaps and Secrets.
package struct ManifestReader {
    private let problems: ManifestProblems
    private var manifest = Manifest()

    /// Mistakes and what cannot be honoured are added to `problems`.
    package static func read(_ text: String, _ problems: ManifestProblems) throws(ManifestError) -> Manifest {
        var reader = ManifestReader(problems: problems)
        for node in try ManifestNode.documents(text) { reader.document(node) }
        if reader.manifest.pods.isEmpty { problems.errors.append("there is no Pod in the file") }
        return reader.manifest
    }

    private init(problems: ManifestProblems) { self.problems = problems }

    private mutating func document(_ node: ManifestNode, path: String = "") {
        let fields = ManifestFields(node, path, problems)
        let kind = fields.required("kind")
        let version = fields.string("apiVersion") ?? "v1"
        if ["Pod", "ConfigMap", "Secret", "List"].contains(kind), version != "v1" {
            fields.error("apiVersion", "is \"\(version)\", not v1")
        }
        switch kind {
        case "Pod":
            var pod = PodReader(problems: problems).pod(fields)
            pod.canonical = node.canonical
            if manifest.pods.contains(where: { $0.name == pod.name && $0.namespace == pod.namespace }) {
                fields.error("metadata", "names a pod that is there already")
            }
            manifest.pods.append(pod)
        case "ConfigMap": configMap(fields)
        case "Secret": secret(fields)
        case "List" where path.isEmpty:
            // What clients of an API server print; the items have their kinds.
            fields.ignore("metadata")
            for item in fields.items("items") { document(item.node, path: item.path) }
        case "": return
        default:
            problems.unhonoured.append(
                "line \(fields.line): the kind \"\(kind)\" cannot be honoured: only Pod, ConfigMap and Secret")
            return
        }
        fields.end()
    }

    private func name(_ fields: ManifestFields) -> String {
        guard let metadata = fields.fields("metadata") else {
            fields.error("metadata", "is missing")
            return ""
        }
        metadata.ignore("labels", "annotations", "creationTimestamp", "uid", "resourceVersion")
        let name = (metadata.string("namespace") ?? "default") + "/" + metadata.required("name")
        metadata.end()
        return name
    }

    private mutating func configMap(_ fields: ManifestFields) {
        fields.ignore("immutable")
        var files = fields.map("data").mapValues { Array($0.utf8) }
        files.merge(decoded("binaryData", fields)) { $1 }
        check(files, fields)
        manifest.configMaps[name(fields)] = files
    }

    private mutating func secret(_ fields: ManifestFields) {
        fields.ignore("immutable", "type")
        var files = decoded("data", fields)
        files.merge(fields.map("stringData").mapValues { Array($0.utf8) }) { $1 }
        check(files, fields)
        manifest.secrets[name(fields)] = files
    }

    /// Keys become names of files: only those that the API allows, none that leads out of a directory.
    private func check(_ files: [String: [UInt8]], _ fields: ManifestFields) {
        for key in files.keys.sorted() where !isKey(key) {
            fields.error(
                "data", "has the key \"\(key)\": expected letters, digits, \"-\", \"_\" and \".\", not \"..\" first")
        }
    }

    private func isKey(_ key: String) -> Bool {
        (1...253).contains(key.utf8.count) && key != "." && !key.hasPrefix("..")
            && key.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }

    private func decoded(_ field: String, _ fields: ManifestFields) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for (key, text) in fields.map(field) {
            guard let bytes = base64(text) else {
                fields.error(field, "has a value \"\(key)\" that is not base64")
                continue
            }
            files[key] = bytes
        }
        return files
    }
}

/// RFC 4648, with white space between the characters.
package func base64(_ text: String) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    var padding = 0
    for character in text.utf8 where ![9, 10, 13, 32].contains(character) {
        if character == UInt8(ascii: "=") {
            padding += 1
            continue
        }
        guard padding == 0, let value = alphabet.firstIndex(of: character) else { return nil }
        bits = (bits & 0xffff) << 6 | UInt32(value)
        count += 1
        switch count % 4 {
        case 2: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3: bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
        case 0: bytes.append(UInt8(truncatingIfNeeded: bits))
        default: continue
        }
    }
    return count % 4 != 1 && (count + padding) % 4 == 0 ? bytes : nil
}
