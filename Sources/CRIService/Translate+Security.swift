import CRIProto
import Model

extension Translate {
    static func mode(_ mode: Runtime_V1_NamespaceMode, _ field: String) throws(Fault) -> NamespaceMode {
        switch mode {
        case .pod: return .pod
        case .container: return .container
        case .node: return .node
        case .target: return .target
        case .UNRECOGNIZED(let number): throw Fault.invalid("\(field): unknown value \(number)")
        }
    }

    static func namespaces(_ options: Runtime_V1_NamespaceOption, _ field: String) throws(Fault) -> NamespaceModes {
        var modes = NamespaceModes()
        modes.network = try mode(options.network, field + ".network")
        modes.ipc = try mode(options.ipc, field + ".ipc")
        modes.pid = try mode(options.pid, field + ".pid")
        for (name, value) in [("network", modes.network), ("ipc", modes.ipc)] where value != .pod && value != .node {
            throw Fault.invalid("\(field).\(name): only POD and NODE are possible, not \(value.rawValue.uppercased())")
        }
        if modes.pid == .target {
            try Check.name(options.targetID, field + ".target_id")
        } else if !options.targetID.isEmpty {
            throw Fault.invalid("\(field).target_id: set while pid is not TARGET")
        }
        modes.targetID = options.targetID
        if options.hasUsernsOptions {
            let user = options.usernsOptions
            switch try mode(user.mode, field + ".userns_options.mode") {
            case .node:
                guard user.uids.isEmpty, user.gids.isEmpty else {
                    throw Fault.invalid("\(field).userns_options: mappings are set while mode is NODE")
                }
            case .pod:
                throw Fault.unimplemented("\(field).userns_options.mode: user namespaces (POD) are not supported")
            case .container, .target:
                throw Fault.invalid("\(field).userns_options.mode: only POD and NODE are possible")
            }
        }
        return modes
    }

    static func selinux(_ isSet: Bool, _ options: Runtime_V1_SELinuxOption, _ path: String) throws(Fault) {
        guard isSet else { return }
        for (name, value) in [
            ("user", options.user), ("role", options.role), ("type", options.type), ("level", options.level),
        ] {
            try Check.unset(value.isEmpty, "\(path).selinux_options.\(name)", "SELinux labels are")
        }
    }

    static func groupsPolicy(_ policy: Runtime_V1_SupplementalGroupsPolicy, _ path: String) throws(Fault)
        -> SupplementalGroupsPolicy
    {
        switch policy {
        case .merge: return .merge
        case .strict: return .strict
        case .UNRECOGNIZED(let number):
            throw Fault.invalid("\(path).supplemental_groups_policy: unknown value \(number)")
        }
    }

    /// The typed field wins over the deprecated path. Nil = neither is set.
    static func seccomp(profile: Runtime_V1_SecurityProfile?, deprecated: String, _ path: String) throws(Fault)
        -> SeccompChoice?
    {
        if let profile {
            switch profile.profileType {
            case .runtimeDefault:
                try Check.unset(
                    profile.localhostRef.isEmpty, "\(path).seccomp.localhost_ref", "a reference with this type is")
                return .runtimeDefault
            case .unconfined:
                try Check.unset(
                    profile.localhostRef.isEmpty, "\(path).seccomp.localhost_ref", "a reference with this type is")
                return .unconfined
            case .localhost:
                try Check.absolutePath(profile.localhostRef, "\(path).seccomp.localhost_ref")
                return .localhost(profile.localhostRef)
            case .UNRECOGNIZED(let number):
                throw Fault.invalid("\(path).seccomp.profile_type: unknown value \(number)")
            }
        }
        switch deprecated {
        case "": return nil
        case "runtime/default", "docker/default": return .runtimeDefault
        case "unconfined": return .unconfined
        default:
            guard deprecated.hasPrefix("localhost/") else {
                throw Fault.invalid("\(path).seccomp_profile_path: \"\(Check.shortened(deprecated))\" is no profile")
            }
            let file = String(deprecated.dropFirst("localhost/".count))
            try Check.absolutePath(file, "\(path).seccomp_profile_path")
            return .localhost(file)
        }
    }

    /// Profiles of the node are refused until they can be applied; the default has nothing to apply yet (R10: nothing was
    /// asked for that is not given).
    static func apparmor(profile: Runtime_V1_SecurityProfile?, deprecated: String, _ path: String) throws(Fault) {
        if let profile {
            switch profile.profileType {
            case .runtimeDefault, .unconfined:
                try Check.unset(
                    profile.localhostRef.isEmpty, "\(path).apparmor.localhost_ref", "a reference with this type is")
            case .localhost:
                throw Fault.unimplemented("\(path).apparmor: AppArmor profiles (Localhost) are not supported")
            case .UNRECOGNIZED(let number):
                throw Fault.invalid("\(path).apparmor.profile_type: unknown value \(number)")
            }
            return
        }
        guard ["", "runtime/default", "unconfined"].contains(deprecated) else {
            throw Fault.unimplemented("\(path).apparmor_profile: AppArmor profiles are not supported")
        }
    }

    static func security(_ context: Runtime_V1_LinuxContainerSecurityContext, _ path: String) throws(Fault)
        -> ContainerSecurity
    {
        var security = ContainerSecurity()
        if context.hasCapabilities {
            let capabilities = context.capabilities
            try Check.unset(
                capabilities.addAmbientCapabilities.isEmpty, "\(path).capabilities.add_ambient_capabilities",
                "ambient capabilities are")
            try Check.count(capabilities.addCapabilities.count, "\(path).capabilities.add_capabilities")
            try Check.count(capabilities.dropCapabilities.count, "\(path).capabilities.drop_capabilities")
            security.addCapabilities = capabilities.addCapabilities
            security.dropCapabilities = capabilities.dropCapabilities
        }
        security.privileged = context.privileged
        if context.hasNamespaceOptions {
            security.namespaces = try namespaces(context.namespaceOptions, path + ".namespace_options")
        }
        try selinux(context.hasSelinuxOptions, context.selinuxOptions, path)
        security.user = try user(context, path)
        security.readonlyRootfs = context.readonlyRootfs
        security.noNewPrivileges = context.noNewPrivs
        for (name, paths) in [("masked_paths", context.maskedPaths), ("readonly_paths", context.readonlyPaths)] {
            try Check.count(paths.count, "\(path).\(name)")
            for item in paths { try Check.absolutePath(item, "\(path).\(name)") }
        }
        security.maskedPaths = context.maskedPaths
        security.readonlyPaths = context.readonlyPaths
        security.seccomp = try seccomp(
            profile: context.hasSeccomp ? context.seccomp : nil, deprecated: context.seccompProfilePath, path)
        try apparmor(
            profile: context.hasApparmor ? context.apparmor : nil, deprecated: context.apparmorProfile, path)
        return security
    }

    private static func user(_ context: Runtime_V1_LinuxContainerSecurityContext, _ path: String) throws(Fault)
        -> UserChoice
    {
        var user = UserChoice()
        if context.hasRunAsUser { user.runAsUser = try Check.userID(context.runAsUser.value, path + ".run_as_user") }
        if !context.runAsUsername.isEmpty {
            guard !context.hasRunAsUser else {
                throw Fault.invalid("\(path).run_as_username: set together with run_as_user")
            }
            try Check.text(context.runAsUsername, path + ".run_as_username")
            guard !context.runAsUsername.utf8.contains(0x3a) else {
                throw Fault.invalid("\(path).run_as_username: has a \":\" in it")
            }
            user.runAsUsername = context.runAsUsername
        }
        if context.hasRunAsGroup {
            guard context.hasRunAsUser || !context.runAsUsername.isEmpty else {
                throw Fault.invalid("\(path).run_as_group: set without run_as_user or run_as_username")
            }
            user.runAsGroup = try Check.userID(context.runAsGroup.value, path + ".run_as_group")
        }
        // NGROUPS_MAX, setgroups(2).
        try Check.count(context.supplementalGroups.count, path + ".supplemental_groups", max: 65_536)
        for group in context.supplementalGroups {
            user.supplementalGroups.append(try Check.userID(group, path + ".supplemental_groups"))
        }
        user.groupsPolicy = try groupsPolicy(context.supplementalGroupsPolicy, path)
        return user
    }
}
