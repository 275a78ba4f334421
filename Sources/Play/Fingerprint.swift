import Crypto

extension ManifestNode {
    /// One text for all spellings of a value: members by name, no lines, no comments.
    var canonical: String {
        switch value {
        case .null: "~"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let digits): digits
        case .string(let text): quoted(text)
        case .list(let items): "[" + items.map(\.canonical).joined(separator: ",") + "]"
        case .map(let members):
            "{"
                + members.sorted { $0.name < $1.name }.map { quoted($0.name) + ":" + $0.node.canonical }
                .joined(separator: ",") + "}"
        }
    }
}

extension Manifest {
    /// Tells whether a pod was made of this manifest: the same for the same Pod with the same objects that it uses.
    ///
    /// The pod's own `salt` goes into it, since it is kept beside the pod and values of Secrets are part of it.
    package func fingerprint(of pod: PodManifest, salt: String) -> String {
        var hash = SHA256()
        func add(_ text: String) { hash.update(data: Array((text + "\n").utf8)) }
        add(salt)
        add(pod.canonical)
        for (kind, objects, used) in [("c", configMaps, pod.usedConfigMaps), ("s", secrets, pod.usedSecrets)] {
            for name in used.sorted() {
                add(kind + quoted(name))
                for (key, bytes) in (objects["\(pod.namespace)/\(name)"] ?? [:]).sorted(by: { $0.key < $1.key }) {
                    add("\(quoted(key)) \(bytes.count)")
                    hash.update(data: bytes)
                }
            }
        }
        let digits = Array("0123456789abcdef")
        return String(hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension PodManifest {
    /// Names of the ConfigMaps that volumes and variables refer to.
    fileprivate var usedConfigMaps: Set<String> {
        Set(
            sources.compactMap { source in
                if case .configMap(let name, _) = source { return name }
                return nil
            })
    }

    /// Names of the Secrets that volumes and variables refer to.
    fileprivate var usedSecrets: Set<String> {
        Set(
            sources.compactMap { source in
                if case .secret(let name, _) = source { return name }
                return nil
            })
    }

    private var sources: [ValueSource] {
        let variables = containers.flatMap(\.environment).compactMap { entry -> ValueSource? in
            switch entry {
            case .value: nil
            case .source(_, let source, _, _), .all(_, let source, _, _): source
            }
        }
        return variables + pullSecrets.map { .secret($0, key: "") } + volumes.flatMap(\.source.objects)
    }
}

extension VolumeManifest.Source {
    fileprivate var objects: [ValueSource] {
        switch self {
        case .emptyDir, .hostPath, .downwardAPI: []
        case .configMap(let name, _, _, _): [.configMap(name, key: "")]
        case .secret(let name, _, _, _): [.secret(name, key: "")]
        case .projected(let parts): parts.flatMap(\.objects)
        }
    }
}

private func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
