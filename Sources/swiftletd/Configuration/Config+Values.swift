import Foundation
import Model
import NIOCore
import OCI
import Planner
import Registry

extension Config {
    /// Defaults of containers, with what this configuration changes.
    func runtimeDefaults() throws(Fault) -> RuntimeDefaults {
        var defaults = RuntimeDefaults()
        defaults.capabilities = container.capabilities
        for (name, limits) in container.rlimits {
            let full = "RLIMIT_" + name.uppercased()
            guard let index = defaults.resourceLimits.firstIndex(where: { $0.type == full }) else {
                throw Fault.invalid("key \"container.rlimits.\(name)\": getrlimit(2) has no such limit")
            }
            let (soft, hard) = (UInt64(exactly: limits[0]) ?? .max, UInt64(exactly: limits[1]) ?? .max)
            defaults.resourceLimits[index] = .init(full, soft: soft, hard: hard)
        }
        defaults.sharedMemoryBytes = UInt64(exactly: container.shmBytes) ?? defaults.sharedMemoryBytes
        if !container.unprivilegedPorts { defaults.networkSysctls["net.ipv4.ip_unprivileged_port_start"] = nil }
        if !container.unprivilegedPing { defaults.networkSysctls["net.ipv4.ping_group_range"] = nil }
        return defaults
    }

    /// What `Status` shows of the configuration; tools look for "stateDir".
    func statusJSON() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        struct Shown: Encodable {
            var stateDir: String
            var rootDir: String
            var configuration: Config
        }
        let shown = Shown(stateDir: state, rootDir: root, configuration: self)
        return String(decoding: try encoder.encode(shown), as: UTF8.self)
    }
}

extension Config.Registry {
    /// Puts what it says into a client's settings.
    func set(_ client: inout RegistryConfiguration) {
        client.hostsDirectories = [hostsDir]
        client.noProgressTimeout = .seconds(progressTimeoutSeconds)
    }
}

extension Config {
    /// Nil where there is to be none.
    func metricsAddress() throws(Fault) -> SocketAddress? {
        let text = metrics.address
        if text.isEmpty { return nil }
        let wrong = Fault.invalid("key \"metrics.address\": \"\(text)\" is no \"ADDRESS:PORT\" or \"[ADDRESS]:PORT\"")
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { throw wrong }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard isBracketed == host.contains(":") else { throw wrong }
        do { return try SocketAddress(ipAddress: String(host), port: port) } catch { throw wrong }
    }
}
