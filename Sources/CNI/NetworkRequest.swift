package import Model

/// A pod that wants its network.
package struct NetworkRequest: Sendable, Equatable {
    package var pod: PodID
    package var metadata: PodMetadata
    /// Absolute path of the pinned network namespace.
    package var networkNamespace: String
    package var portMappings: [PortMapping]
    package var dns: DNSConfig?
    package var annotations: [String: String]
    /// The pod's cgroup as /proc shows it; empty = not told to plugins.
    package var cgroupPath: String

    package init(pod: PodID, config: PodConfig, networkNamespace: String, cgroupPath: String = "") {
        self.pod = pod
        metadata = config.metadata
        self.networkNamespace = networkNamespace
        portMappings = config.portMappings
        dns = config.dns
        annotations = config.annotations
        self.cgroupPath = cgroupPath
    }
}

extension NetworkRequest {
    /// The value of CNI_ARGS. What would end a pair or begin another is refused, not escaped: the format has no
    /// escapes.
    package func cniArguments() throws(CNIError) -> String {
        let pairs = [
            ("K8S_POD_NAMESPACE", metadata.namespace, "metadata.namespace"),
            ("K8S_POD_NAME", metadata.name, "metadata.name"),
            ("K8S_POD_INFRA_CONTAINER_ID", pod.text, "id"), ("K8S_POD_UID", metadata.uid, "metadata.uid"),
        ]
        for (_, value, field) in pairs {
            guard value.utf8.count <= 1024,
                value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != 0x3b && $0 != 0x3d })
            else {
                throw .badRequest(
                    field: field, reason: "longer than 1024 bytes, or holds \";\", \"=\" or a control character")
            }
        }
        return (["IgnoreUnknown=1"] + pairs.map { "\($0.0)=\($0.1)" }).joined(separator: ";")
    }

    /// Capability arguments by the names that plugins declare (CNI CONVENTIONS.md, "Dynamic Plugin specific fields").
    package func capabilityArguments() throws(CNIError) -> [String: JSON] {
        var arguments: [String: JSON] = [:]
        if !portMappings.isEmpty { arguments["portMappings"] = .array(portMappings.map(\.cniArgument)) }
        if let dns {
            arguments["dns"] = .object([
                "servers": .strings(dns.servers), "searches": .strings(dns.searches), "options": .strings(dns.options),
            ])
        }
        if let bandwidth = try bandwidth() { arguments["bandwidth"] = bandwidth }
        if !cgroupPath.isEmpty { arguments["cgroupPath"] = .string(cgroupPath) }
        if !annotations.isEmpty {
            arguments["io.kubernetes.cri.pod-annotations"] = .object(annotations.mapValues { .string($0) })
        }
        return arguments
    }

    /// The burst is as large as the plugin takes, so that only the rate limits.
    private func bandwidth() throws(CNIError) -> JSON? {
        var members: [String: JSON] = [:]
        for (annotation, direction) in [
            (Bandwidth.ingressAnnotation, "ingress"), (Bandwidth.egressAnnotation, "egress"),
        ] {
            guard let quantity = annotations[annotation] else { continue }
            guard let rate = Bandwidth.bitsPerSecond(quantity) else {
                throw .badRequest(
                    field: "annotations[\"\(annotation)\"]",
                    reason: "\"\(quantity.prefix(64))\" is not a quantity from 1k to 1P")
            }
            members["\(direction)Rate"] = .integer(rate)
            members["\(direction)Burst"] = .integer(UInt32.max)
        }
        return members.isEmpty ? nil : .object(members)
    }
}

extension PortMapping {
    fileprivate var cniArgument: JSON {
        var members: [String: JSON] = [
            "hostPort": .integer(hostPort), "containerPort": .integer(containerPort),
            "protocol": .string(self.protocol.rawValue),
        ]
        if !hostIP.isEmpty { members["hostIP"] = .string(hostIP) }
        return .object(members)
    }
}

extension NetworkConfiguration {
    /// What a plugin reads from its standard input: its own part, the network's name and version, the arguments that it
    /// declared, and what the plugin before it returned.
    package func input(for plugin: PluginConfiguration, arguments: [String: JSON], previous: JSON?) -> JSON {
        var input = plugin.source.setting("name", .string(name)).setting("cniVersion", .string(version.description))
        let wanted = arguments.filter { plugin.capabilities.contains($0.key) }
        if !wanted.isEmpty { input = input.setting("runtimeConfig", .object(wanted)) }
        if let previous { input = input.setting("prevResult", previous) }
        return input
    }
}
