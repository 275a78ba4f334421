/// What the chain of plugins made for a pod.
package struct NetworkResult: Sendable, Equatable {
    package struct Interface: Sendable, Equatable {
        package var name: String
        package var mac: String
        /// Path of the namespace; empty = on the node.
        package var sandbox: String
    }

    package struct Address: Sendable, Equatable {
        package var address: IPAddress
        package var prefixLength: Int
        package var gateway: IPAddress?
        /// Index of the interface that carries it; nil = not told.
        package var interface: Int?
    }

    package var interfaces: [Interface]
    package var addresses: [Address]
    /// As the last plugin printed it; DEL gets it back.
    package var source: JSON

    /// Which of the pod's addresses is its first.
    package enum Preference: String, Sendable, CaseIterable { case ipv4, ipv6, cni }

    /// Addresses of the pod's interface `name`, the primary one first, the rest as the plugins gave them.
    package func podAddresses(interface name: String, preference: Preference) -> [IPAddress] {
        let own = addresses.filter { address in
            guard let index = address.interface else { return true }
            return interfaces.indices.contains(index) && interfaces[index].name == name
                && !interfaces[index].sandbox.isEmpty
        }.map(\.address)
        let family: IPAddress.Family
        switch preference {
        case .cni: return own
        case .ipv4: family = .v4
        case .ipv6: family = .v6
        }
        guard let primary = own.firstIndex(where: { $0.family == family }) else { return own }
        return [own[primary]] + own[..<primary] + own[(primary + 1)...]
    }
}

extension NetworkResult {
    /// Reads the result types 0.1.0 to 1.1.0; a version that the result does not state is the configuration's.
    package init(_ document: JSON, version: CNIVersion, plugin: String) throws(CNIError) {
        guard document.members != nil else { throw .badResult(plugin: plugin, reason: "not a JSON object") }
        var version = version
        if let stated = document["cniVersion"]?.text, !stated.isEmpty {
            guard let known = CNIVersion(stated) else {
                throw .badResult(plugin: plugin, reason: "version \"\(stated.prefix(32))\" is not supported")
            }
            version = known
        }
        source = document
        interfaces = []
        addresses = []
        if version.hasOldResults {
            for key in ["ip4", "ip6"] {
                if let entry = document[key] { addresses.append(try Self.address(entry, key: "ip", plugin: plugin)) }
            }
            return
        }
        for entry in try Self.list(document, "interfaces", plugin: plugin) {
            guard let name = entry["name"]?.text else {
                throw .badResult(plugin: plugin, reason: "an interface has no \"name\"")
            }
            interfaces.append(
                Interface(name: name, mac: entry["mac"]?.text ?? "", sandbox: entry["sandbox"]?.text ?? ""))
        }
        for entry in try Self.list(document, "ips", plugin: plugin) {
            var address = try Self.address(entry, key: "address", plugin: plugin)
            if let stated = entry["interface"] {
                guard let index = stated.number, interfaces.indices.contains(index) else {
                    throw .badResult(
                        plugin: plugin, reason: "an address names an interface that is not in \"interfaces\"")
                }
                address.interface = index
            }
            addresses.append(address)
        }
    }

    private static func list(_ document: JSON, _ key: String, plugin: String) throws(CNIError) -> [JSON] {
        guard let value = document[key] else { return [] }
        guard let elements = value.elements, elements.count <= 1024 else {
            throw .badResult(plugin: plugin, reason: "\"\(key)\" is not a list of at most 1024 entries")
        }
        return elements
    }

    private static func address(_ entry: JSON, key: String, plugin: String) throws(CNIError) -> Address {
        guard let text = entry[key]?.text, let network = IPAddress.network(text) else {
            throw .badResult(plugin: plugin, reason: "\"\(key)\" is not an address with a prefix length")
        }
        var gateway: IPAddress?
        if let stated = entry["gateway"]?.text, !stated.isEmpty {
            guard let known = IPAddress(stated) else {
                throw .badResult(plugin: plugin, reason: "\"gateway\" \"\(stated.prefix(64))\" is not an address")
            }
            gateway = known
        }
        return Address(address: network.address, prefixLength: network.prefixLength, gateway: gateway, interface: nil)
    }
}
