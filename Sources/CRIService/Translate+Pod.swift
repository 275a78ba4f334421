import CRIProto
import Model
import Planner

/// Requests of the CRI as validated values of `Model`. Every field is taken over, refused, or said to be informational here.
enum Translate {
    static func pod(_ config: Runtime_V1_PodSandboxConfig, handler: String) throws(Fault) -> PodConfig {
        let metadata = try Check.present(config.hasMetadata, config.metadata, "config.metadata")
        try Check.name(metadata.name, "config.metadata.name")
        try Check.name(metadata.namespace, "config.metadata.namespace")
        try Check.name(metadata.uid, "config.metadata.uid")
        var pod = PodConfig(
            metadata: PodMetadata(
                name: metadata.name, uid: metadata.uid, namespace: metadata.namespace, attempt: metadata.attempt))
        pod.runtimeHandler = try runtimeHandler(handler, "runtime_handler")
        pod.hostname = try hostname(config.hostname)
        if !config.logDirectory.isEmpty { try Check.absolutePath(config.logDirectory, "config.log_directory") }
        pod.logDirectory = config.logDirectory
        pod.dns = config.hasDnsConfig ? try dns(config.dnsConfig) : nil
        pod.portMappings = try ports(config.portMappings)
        try Check.map(config.labels, "config.labels")
        pod.labels = config.labels
        try Check.map(config.annotations, "config.annotations")
        _ = try LogRules.limits(pod: config.annotations)
        pod.annotations = config.annotations
        guard !config.hasWindows else { throw Fault.invalid("config.windows: this is a Linux node") }
        if config.hasLinux { try apply(config.linux, to: &pod) }
        if pod.namespaces.network == .node, !pod.portMappings.isEmpty {
            // The kubelet sends the ports of host-network pods too: there they are the node's own.
            pod.portMappings = []
        }
        return pod
    }

    private static func apply(_ linux: Runtime_V1_LinuxPodSandboxConfig, to pod: inout PodConfig) throws(Fault) {
        if !linux.cgroupParent.isEmpty {
            try Check.text(linux.cgroupParent, "config.linux.cgroup_parent", bytesMax: Check.pathBytesMax)
            guard !linux.cgroupParent.utf8.split(separator: 0x2f).contains(where: { $0.elementsEqual("..".utf8) })
            else {
                throw Fault.invalid(
                    "config.linux.cgroup_parent: \"\(Check.shortened(linux.cgroupParent))\" has a \"..\" in it")
            }
        }
        pod.cgroupParent = linux.cgroupParent
        try Check.map(linux.sysctls, "config.linux.sysctls")
        pod.sysctls = linux.sysctls
        if linux.hasOverhead { pod.overhead = try resources(linux.overhead, "config.linux.overhead") }
        if linux.hasResources { pod.resources = try resources(linux.resources, "config.linux.resources") }
        guard linux.hasSecurityContext else { return }
        let security = linux.securityContext
        let path = "config.linux.security_context"
        if security.hasNamespaceOptions {
            let options = security.namespaceOptions
            pod.namespaces = try namespaces(options, path + ".namespace_options")
            guard pod.namespaces.pid != .target else {
                throw Fault.invalid("\(path).namespace_options.pid: TARGET is for containers only")
            }
        }
        try selinux(security.hasSelinuxOptions, security.selinuxOptions, path)
        if security.hasRunAsUser { pod.runAsUser = try Check.userID(security.runAsUser.value, path + ".run_as_user") }
        if security.hasRunAsGroup {
            guard security.hasRunAsUser else { throw Fault.invalid("\(path).run_as_group: set without run_as_user") }
            pod.runAsGroup = try Check.userID(security.runAsGroup.value, path + ".run_as_group")
        }
        try Check.count(security.supplementalGroups.count, path + ".supplemental_groups", max: 65_536)
        for group in security.supplementalGroups {
            pod.supplementalGroups.append(try Check.userID(group, path + ".supplemental_groups"))
        }
        _ = try groupsPolicy(security.supplementalGroupsPolicy, path)
        pod.readonlyRootfs = security.readonlyRootfs
        pod.privileged = security.privileged
        // For information: the pod's init, the only process of a sandbox, has a filter of its own that is stricter than any
        // that a workload needs, and a LOCALHOST profile could keep it from reaping.
        pod.seccomp =
            try seccomp(
                profile: security.hasSeccomp ? security.seccomp : nil, deprecated: security.seccompProfilePath, path)
            ?? .runtimeDefault
        try apparmor(profile: security.hasApparmor ? security.apparmor : nil, deprecated: "", path)
    }

    static func runtimeHandler(_ name: String, _ field: String) throws(Fault) -> String {
        guard name.isEmpty else {
            throw Fault.invalid("\(field): no runtime handler \"\(Check.shortened(name))\"; the only one is \"\"")
        }
        return name
    }

    /// hostname(7): at most 64 bytes; no character that could end a line or a path component in a generated file.
    private static func hostname(_ text: String) throws(Fault) -> String {
        try Check.text(text, "config.hostname", bytesMax: 64)
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: return true
            default: return false
            }
        }
        guard allowed else {
            throw Fault.invalid(
                "config.hostname: \"\(text)\" has characters other than letters, digits, \".\", \"-\", \"_\"")
        }
        return text
    }

    private static func dns(_ config: Runtime_V1_DNSConfig) throws(Fault) -> DNSConfig {
        var dns = DNSConfig()
        dns.servers = try words(config.servers, "config.dns_config.servers")
        dns.searches = try words(config.searches, "config.dns_config.searches")
        dns.options = try words(config.options, "config.dns_config.options")
        return dns
    }

    /// Words of a line of resolv.conf(5): no white space, no control characters.
    private static func words(_ list: [String], _ field: String) throws(Fault) -> [String] {
        try Check.count(list.count, field, max: 256)
        for word in list {
            try Check.text(word, field, bytesMax: 1024)
            guard !word.isEmpty, !word.utf8.contains(0x20) else {
                throw Fault.invalid("\(field): \"\(Check.shortened(word))\" is empty or has a space in it")
            }
        }
        return list
    }

    private static func ports(_ list: [Runtime_V1_PortMapping]) throws(Fault) -> [PortMapping] {
        try Check.count(list.count, "config.port_mappings")
        var mappings: [PortMapping] = []
        for port in list {
            let field = "config.port_mappings"
            let transport: PortMapping.TransportProtocol
            switch port.protocol {
            case .tcp: transport = .tcp
            case .udp: transport = .udp
            case .sctp: transport = .sctp
            case .UNRECOGNIZED(let number): throw Fault.invalid("\(field).protocol: unknown value \(number)")
            }
            try Check.range(port.hostPort, 0...65535, "\(field).host_port")
            try Check.range(port.containerPort, 0...65535, "\(field).container_port")
            try Check.text(port.hostIp, "\(field).host_ip", bytesMax: 64)
            let address = port.hostIp.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x3a, 0x41...0x46, 0x61...0x66, 0x2e: return true
                default: return false
                }
            }
            guard address else { throw Fault.invalid("\(field).host_ip: \"\(port.hostIp)\" is no IP address") }
            guard port.hostPort > 0 else { continue }
            guard port.containerPort > 0, let inside = UInt16(exactly: port.containerPort),
                let outside = UInt16(exactly: port.hostPort)
            else { throw Fault.invalid("\(field).container_port: \(port.containerPort) is not in 1...65535") }
            mappings.append(
                PortMapping(protocol: transport, containerPort: inside, hostPort: outside, hostIP: port.hostIp))
        }
        return mappings
    }
}
