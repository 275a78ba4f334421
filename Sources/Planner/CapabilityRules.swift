import Model

/// Which capabilities a container gets.
struct CapabilityRules {
    var host: HostFacts
    var defaults: RuntimeDefaults

    /// Privileged: all. Else the defaults, or all, or none ("ALL" added or dropped); then what is added by name; then
    /// what is dropped by name, so that a name in both lists is dropped, as containerd and CRI-O have it.
    func capabilities(of security: ContainerSecurity) throws(Fault) -> CapabilitySet {
        let added = try named(security.addCapabilities, "add_capabilities")
        let dropped = try named(security.dropCapabilities, "drop_capabilities")
        guard added.set.isSubset(of: host.heldCapabilities) else {
            let missing = added.set.subtracting(host.heldCapabilities).names.joined(separator: ", ")
            throw .precondition("add_capabilities: this runtime does not have \(missing) itself")
        }
        if security.privileged { return host.givableCapabilities }

        var set = try named(defaults.capabilities, "default capabilities").set.intersection(host.givableCapabilities)
        if added.all { set = host.givableCapabilities }
        if dropped.all { set = [] }
        return set.union(added.set).subtracting(dropped.set)
    }

    private func named(_ names: [String], _ field: String) throws(Fault) -> (set: CapabilitySet, all: Bool) {
        let known = CapabilitySet.all(upTo: host.lastCapability)
        var set: CapabilitySet = []
        var all = false
        for name in names {
            if name.uppercased() == "ALL" || name.uppercased() == "CAP_ALL" {
                all = true
                continue
            }
            guard let capability = CapabilitySet(name: name), known.contains(capability) else {
                throw .invalid("\(field): unknown capability \(NodePath.quoted(name))")
            }
            set.formUnion(capability)
        }
        return (set, all)
    }
}
