/// What is known of a pod's surroundings when one of its containers starts.
package struct PodFacts: Sendable {
    package var uid: String
    package var ip: String
    package var nodeName: String
    package var nodeIP: String

    package init(uid: String, ip: String, nodeName: String, nodeIP: String) {
        self.uid = uid
        self.ip = ip
        self.nodeName = nodeName
        self.nodeIP = nodeIP
    }
}

/// Finds the values that a manifest refers to.
package struct ValueResolver: Sendable {
    private let manifest: Manifest
    private let pod: PodManifest
    private let facts: PodFacts

    package init(_ manifest: Manifest, _ pod: PodManifest, _ facts: PodFacts) {
        self.manifest = manifest
        self.pod = pod
        self.facts = facts
    }

    /// The environment with $(NAME) put in; of two with one name the later stands.
    package func environment(of container: ContainerManifest) throws(ManifestError) -> [(name: String, value: String)] {
        var names: [String] = []
        var values: [String: String] = [:]
        func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil { names.append(name) }
        }
        for entry in container.environment {
            switch entry {
            case .value(let name, let text): set(name, expanded(text, values))
            case .source(let name, let source, let isOptional, let line):
                if isOptional, !has(source) { continue }
                set(name, try value(source, container, line))
            case .all(let prefix, let source, let isOptional, let line):
                if isOptional, !has(source) { continue }
                for (key, bytes) in try object(source, line).sorted(by: { $0.key < $1.key }) {
                    set(prefix + key, String(decoding: bytes, as: UTF8.self))
                }
            }
        }
        return names.map { ($0, values[$0] ?? "") }
    }

    /// The text of a field, a resource or a key.
    package func value(_ source: ValueSource, _ container: ContainerManifest?, _ line: Int) throws(ManifestError)
        -> String
    {
        switch source {
        case .configMap(_, let key), .secret(_, let key):
            guard let bytes = try object(source, line)[key] else {
                throw ManifestError("line \(line): there is no key \"\(key)\"")
            }
            return String(decoding: bytes, as: UTF8.self)
        case .field(let path): return try field(path, line)
        case .resource(let name, let resource, let divisor):
            let target = name.isEmpty ? container : pod.containers.first { $0.name == name }
            return try amount(resource, of: target, divisor, line)
        }
    }

    /// Whether the object is in the file, with the key if one is named.
    private func has(_ source: ValueSource) -> Bool {
        let (object, key): ([String: [UInt8]]?, String) =
            switch source {
            case .configMap(let name, let key): (manifest.configMaps["\(pod.namespace)/\(name)"], key)
            case .secret(let name, let key): (manifest.secrets["\(pod.namespace)/\(name)"], key)
            case .field, .resource: ([:], "")
            }
        return object.map { key.isEmpty || $0[key] != nil } ?? false
    }

    /// The files of a ConfigMap or a Secret of this file.
    package func object(_ source: ValueSource, _ line: Int) throws(ManifestError) -> [String: [UInt8]] {
        let (kind, name, found): (String, String, [String: [UInt8]]?) =
            switch source {
            case .configMap(let name, _): ("ConfigMap", name, manifest.configMaps["\(pod.namespace)/\(name)"])
            case .secret(let name, _): ("Secret", name, manifest.secrets["\(pod.namespace)/\(name)"])
            case .field, .resource: ("object", "", nil)
            }
        guard let found else { throw ManifestError("line \(line): the file has no \(kind) \"\(name)\"") }
        return found
    }

    private func field(_ path: String, _ line: Int) throws(ManifestError) -> String {
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return facts.uid
        case "metadata.labels": return list(pod.labels)
        case "metadata.annotations": return list(pod.annotations)
        case "spec.nodeName": return facts.nodeName
        case "spec.serviceAccountName": return pod.serviceAccount
        case "status.hostIP", "status.hostIPs": return facts.nodeIP
        case "status.podIP", "status.podIPs": return facts.ip
        default: break
        }
        for (prefix, values) in [("metadata.labels['", pod.labels), ("metadata.annotations['", pod.annotations)]
        where path.hasPrefix(prefix) && path.hasSuffix("']") {
            return values[String(path.dropFirst(prefix.count).dropLast(2))] ?? ""
        }
        throw ManifestError("line \(line): the field \"\(path)\" is not one that a pod can be told")
    }

    private func list(_ values: [String: String]) -> String {
        values.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: "\n")
    }

    private func amount(
        _ resource: String, of container: ContainerManifest?, _ divisor: String, _ line: Int
    ) throws(ManifestError) -> String {
        guard let container, let divisor = Quantity(divisor), divisor.thousandths > 0 else {
            throw ManifestError("line \(line): a resource needs a container that the pod has, and a divisor above 0")
        }
        let text: String?
        switch resource {
        case "limits.cpu": text = container.limits["cpu"]
        case "limits.memory": text = container.limits["memory"]
        case "requests.cpu": text = container.requests["cpu"] ?? container.limits["cpu"]
        case "requests.memory": text = container.requests["memory"] ?? container.limits["memory"]
        default: throw ManifestError("line \(line): there is no resource \"\(resource)\"")
        }
        guard let text, let amount = Quantity(text) else {
            throw ManifestError("line \(line): container \"\(container.name)\" has no \(resource)")
        }
        let (whole, rest) = amount.thousandths.quotientAndRemainder(dividingBy: divisor.thousandths)
        return String(whole + (rest == 0 ? 0 : 1))
    }
}

/// Puts values in for $(NAME); $$ is a dollar, and a name that is not known stays as it is.
package func expanded(_ text: String, _ values: [String: String]) -> String {
    var result = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
        result += rest[..<dollar]
        rest = rest[rest.index(after: dollar)...]
        if rest.first == "$" {
            result += "$"
            rest = rest.dropFirst()
        } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
            let name = String(rest[rest.index(after: rest.startIndex)..<end])
            result += values[name] ?? "$(\(name))"
            rest = rest[rest.index(after: end)...]
        } else {
            result += "$"
        }
    }
    return result + rest
}
