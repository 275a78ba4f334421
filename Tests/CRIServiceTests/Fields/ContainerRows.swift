import GRPC

/// CreateContainer, field by field.
enum ContainerRows {
    private static let security = "config.linux.security_context."
    private static let mount: [(String, JSON)] = [
        ("config.mounts[].container_path", "/mnt"), ("config.mounts[].host_path", "/srv/volume"),
    ]
    private static let device: [(String, JSON)] = [
        ("config.devices[].container_path", "/dev/fuse"), ("config.devices[].host_path", "/dev/fuse"),
        ("config.devices[].permissions", "rw"),
    ]
    private static let asUser: [(String, JSON)] = [(security + "run_as_user.value", 1000)]

    static let rows: [FieldRow] =
        identity + process + mounts + devices + resources + securityRows + profiles
        + sandboxCopy

    private static let identity: [FieldRow] = [
        .enforced("pod_sandbox_id", "$POD", .list, .launchPlan, other: "$OTHERPOD", note: "the pod that it is made in"),
        .enforced("config.metadata.name", "other", .status, .list, other: "main"),
        .enforced("config.metadata.attempt", 3, .status, .list),
        .enforced("config.image.image", "other", .imageLookup, .launchPlan, .status, other: "busybox"),
        .informational(
            "config.image.annotations", ["note": "text"], note: "checked; nothing of an image depends on it"),
        .informational("config.image.user_specified_image", "busybox:1", .status, .list, .info, note: "shown"),
        .refused("config.image.runtime_handler", "kata", .invalidArgument, note: "the only handler is \"\""),
        .refused("config.image.image_ref", "sha256:1", note: "of statuses only"),
        .informational("config.labels", ["app": "web"], .status, .list, .info, note: "lists select by them"),
        .informational("config.annotations", ["note": "text"], .status, .list, .info, note: "shown"),
        .enforced("config.log_path", "main/0.log", .logFile, .status),
        .refused("config.windows.*", note: "not a Linux field"),
        .refused("config.CDI_devices[].name", "vendor.com/class=device"),
    ]

    /// A copy of what the sandbox was made from: refused where the sandbox would be, and else not looked at again.
    private static let sandboxCopy: [FieldRow] = PodRows.rows.filter { $0.path.hasPrefix("config.") }.map { row in
        var copy = row
        copy.path = "sandbox_" + row.path
        copy.context =
            [("name", "web"), ("uid", "u-1"), ("namespace", "default")].map {
                ("sandbox_config.metadata." + $0.0, $0.1)
            }
            + row.context.map { ("sandbox_" + $0.path, $0.value) }
        if case .refused = row.promise { return copy }
        copy.promise = .informational([])
        copy.note = "a copy: the sandbox's own configuration counts"
        return copy
    }

    private static let process: [FieldRow] = [
        .enforced("config.command", ["/bin/sh"], .launchPlan),
        .enforced("config.args", ["-c"], .launchPlan),
        .enforced("config.working_dir", "/work", .launchPlan, .execPlan),
        .enforced("config.envs[].key", "OTHER", .launchPlan, .execPlan, other: "NAME"),
        .enforced("config.envs[].value", "dmFsdWU=", .launchPlan, .execPlan, with: [("config.envs[].key", "NAME")]),
        .enforced("config.stdin", true, .launchPlan, .attachPoint),
        .enforced("config.stdin_once", true, .attachPoint, .info, with: [("config.stdin", true)]),
        .enforced("config.tty", true, .launchPlan, .attachPoint),
        .enforced("config.stop_signal", 10, .signal, .status),
    ]

    private static let mounts: [FieldRow] = [
        .enforced("config.mounts[].container_path", "/other", .launchPlan, .status, other: "/mnt", with: mount),
        .enforced("config.mounts[].host_path", "/srv/other", .launchPlan, .status, other: "/srv/volume", with: mount),
        .enforced("config.mounts[].readonly", true, .launchPlan, .status, with: mount),
        .informational(
            "config.mounts[].selinux_relabel", true, .status, .info, with: mount,
            note: "no effect on a node without SELinux"),
        .enforced("config.mounts[].propagation", 1, .launchPlan, .status, with: mount),
        .refused("config.mounts[].uidMappings[].*", with: mount),
        .refused("config.mounts[].gidMappings[].*", with: mount),
        .refused("config.mounts[].recursive_read_only", true, with: mount),
        .refused("config.mounts[].image.*", with: mount),
        .refused("config.mounts[].image_sub_path", "sub", with: mount),
        .refused("config.mounts[].mount_options", ["noexec"], with: mount),
    ]

    private static let devices: [FieldRow] = [
        .enforced("config.devices[].container_path", "/dev/other", .launchPlan, other: "/dev/fuse", with: device),
        .enforced(
            "config.devices[].host_path", "/dev/net/tun", .launchPlan, .devices, other: "/dev/fuse", with: device),
        .enforced("config.devices[].permissions", "r", .devices, other: "rwm", with: device),
    ]

    private static let hugepageSize = "config.linux.resources.hugepage_limits[].page_size"

    private static let resources: [FieldRow] =
        limits + [
            .enforced(hugepageSize, "1GB", .limits, .status, other: "2MB"),
            .enforced(
                "config.linux.resources.hugepage_limits[].limit", 4_194_304, .limits, .status,
                with: [(hugepageSize, JSON.string("2MB"))]),
        ]

    private static let limits: [FieldRow] = FieldRow.resources("config.linux.resources") { path, value, channel in
        .enforced(path, value, channel == .limits ? .limits : .launchPlan, .status)
    }

    private static let securityRows: [FieldRow] = [
        .enforced(security + "capabilities.add_capabilities", ["NET_ADMIN"], .launchPlan, .execPlan),
        .enforced(security + "capabilities.drop_capabilities", ["MKNOD"], .launchPlan, .execPlan),
        .refused(security + "capabilities.add_ambient_capabilities", ["NET_ADMIN"]),
        .enforced(security + "privileged", true, .launchPlan, .execPlan, .devices),
        .refused(
            security + "namespace_options.network", 2, .invalidArgument, note: "has to be the pod's; POD means the same"
        ),
        .enforced(security + "namespace_options.pid", 1, .launchPlan),
        .refused(
            security + "namespace_options.ipc", 2, .invalidArgument, note: "has to be the pod's; POD means the same"),
        .enforced(
            security + "namespace_options.target_id", "$TARGET", .launchPlan, other: "$SECOND",
            with: [(security + "namespace_options.pid", 3)]),
        .refused(security + "namespace_options.userns_options.mode", 0, note: "NODE is taken"),
        .refused(
            security + "namespace_options.userns_options.uids[].*", [:], .invalidArgument,
            with: [(security + "namespace_options.userns_options.mode", 2)]),
        .refused(
            security + "namespace_options.userns_options.gids[].*", [:], .invalidArgument,
            with: [(security + "namespace_options.userns_options.mode", 2)]),
        .refused(security + "selinux_options.*"),
        .enforced(security + "run_as_user.value", 1000, .user, .launchPlan, .execPlan, .status),
        .enforced(security + "run_as_group.value", 2000, .user, .launchPlan, .status, with: asUser),
        .enforced(security + "run_as_username", "nobody", .user),
        .enforced(security + "readonly_rootfs", true, .launchPlan),
        .enforced(security + "supplemental_groups", [3000], .user, .launchPlan, .status),
        .enforced(security + "supplemental_groups_policy", 1, .user),
        .enforced(security + "no_new_privs", true, .launchPlan, .execPlan),
        .enforced(security + "masked_paths", ["/proc/kcore"], .launchPlan),
        .enforced(security + "readonly_paths", ["/proc/sys"], .launchPlan),
    ]

    private static let profiles: [FieldRow] = [
        .enforced(security + "seccomp.profile_type", 0, .launchPlan, .execPlan, other: 1),
        .enforced(
            security + "seccomp.localhost_ref", "/profiles/1.json", .launchPlan, other: "/profiles/2.json",
            with: [(security + "seccomp.profile_type", 2)]),
        .enforced(
            security + "seccomp_profile_path", "runtime/default", .launchPlan, .execPlan, note: "seccomp wins over it"),
        .refused(
            security + "apparmor.profile_type", 2, note: "RuntimeDefault and Unconfined are the node's: no profile"),
        .refused(security + "apparmor.localhost_ref", "name", with: [(security + "apparmor.profile_type", 2)]),
        .refused(security + "apparmor_profile", "localhost/name"),
    ]
}
