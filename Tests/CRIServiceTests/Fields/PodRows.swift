import GRPC

/// RunPodSandbox, field by field.
enum PodRows {
    private static let security = "config.linux.security_context."
    private static let port: [(String, JSON)] = [
        ("config.port_mappings[].container_port", 80), ("config.port_mappings[].host_port", 8080),
    ]

    static let rows: [FieldRow] =
        identity + network + node + securityRows + resources("overhead") + resources("resources")

    private static let identity: [FieldRow] = [
        .enforced("config.metadata.name", "other", .network, .status, .list, other: "web"),
        .enforced("config.metadata.uid", "u-2", .network, .status, .list, other: "u-1"),
        .enforced("config.metadata.namespace", "other", .network, .status, .list, other: "default"),
        .enforced("config.metadata.attempt", 3, .status, .list, note: "part of the name that no two pods share"),
        .informational("config.labels", ["app": "web"], .status, .list, .info, note: "lists select by them"),
        .enforced(
            "config.annotations", ["note": "text"], .network, .status, .list,
            note: "bandwidth annotations shape the network"),
        .enforced("config.log_directory", "/var/log/pods/other", .logFile, other: "/var/log/pods/web"),
        .refused("config.windows.*", note: "not a Linux field"),
        .refused("runtime_handler", "kata", .invalidArgument, note: "the only handler is \"\""),
    ]

    private static let network: [FieldRow] = [
        .enforced("config.hostname", "web-0", .birthPlan, .podFiles, .launchPlan),
        .enforced("config.dns_config.servers", ["10.0.0.10"], .podFiles, .network),
        .enforced("config.dns_config.searches", ["svc.local"], .podFiles, .network),
        .enforced("config.dns_config.options", ["ndots:5"], .podFiles, .network),
        .enforced("config.port_mappings[].protocol", 1, .network, with: port),
        .enforced("config.port_mappings[].container_port", 81, .network, other: 80, with: port),
        .enforced("config.port_mappings[].host_port", 8081, .network, with: port, note: "0: no mapping"),
        .enforced("config.port_mappings[].host_ip", "127.0.0.1", .network, with: port),
    ]

    private static let node: [FieldRow] = [
        .enforced("config.linux.cgroup_parent", "/kubepods/pod1", .cgroupPath),
        .enforced("config.linux.sysctls", ["net.core.somaxconn": "1024"], .birthPlan),
    ]

    private static let securityRows: [FieldRow] = [
        .enforced(security + "namespace_options.network", 2, .birthPlan, .network, .status),
        .enforced(security + "namespace_options.pid", 1, .initPlan, .launchPlan, .status),
        .enforced(security + "namespace_options.ipc", 2, .birthPlan, .launchPlan, .status),
        .refused(security + "namespace_options.target_id", "$TARGET", .invalidArgument, note: "of containers only"),
        .refused(security + "namespace_options.userns_options.mode", 0, note: "NODE is taken"),
        .refused(
            security + "namespace_options.userns_options.uids[].*", [:], .invalidArgument,
            with: [(security + "namespace_options.userns_options.mode", 2)]),
        .refused(
            security + "namespace_options.userns_options.gids[].*", [:], .invalidArgument,
            with: [(security + "namespace_options.userns_options.mode", 2)]),
        .refused(security + "selinux_options.*"),
        .enforced(security + "run_as_user.value", 1000, .initPlan),
        .enforced(security + "run_as_group.value", 2000, .initPlan, with: [(security + "run_as_user.value", 1000)]),
        .informational(
            security + "readonly_rootfs", true, .info, note: "the root of the pod's init is read-only in any case"),
        .enforced(security + "supplemental_groups", [3000], .initPlan),
        .informational(
            security + "supplemental_groups_policy", 1, note: "a sandbox has no image whose groups could be merged"),
        .enforced(security + "privileged", true, .admission),
        .informational(
            security + "seccomp.profile_type", 1, .info,
            note: initFilter),
        .informational(
            security + "seccomp.localhost_ref", "/1.json", .info, other: "/2.json",
            with: [(security + "seccomp.profile_type", 2)], note: initFilter),
        .refused(security + "apparmor.profile_type", 2),
        .refused(security + "apparmor.localhost_ref", "name", with: [(security + "apparmor.profile_type", 2)]),
        .informational(
            security + "seccomp_profile_path", "localhost//1.json", .info, other: "localhost//2.json", note: initFilter),
    ]

    private static let initFilter = "the pod's init keeps its own filter; no other process of a sandbox exists"

    private static func resources(_ name: String) -> [FieldRow] {
        let prefix = "config.linux.\(name)"
        let note = "for information in the CRI; kept with the pod"
        var rows = FieldRow.resources(prefix) { path, value, _ in .informational(path, value, .info, note: note) }
        let size = prefix + ".hugepage_limits[].page_size"
        let limit = prefix + ".hugepage_limits[].limit"
        rows.append(.informational(size, "1GB", .info, other: "2MB", with: [(limit, JSON.number("0"))], note: note))
        rows.append(.informational(limit, 4_194_304, .info, with: [(size, JSON.string("2MB"))], note: note))
        return rows
    }
}
