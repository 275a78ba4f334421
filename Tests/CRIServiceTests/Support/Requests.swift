/// Requests in JSON with the names of the proto file. `$POD`, `$CONTAINER` and `$TARGET` stand for ids of objects that a
/// test made before.
enum Requests {
    /// The least that RunPodSandbox takes, and a directory for logs.
    static let pod: JSON = [
        "config": [
            "metadata": ["name": "web", "uid": "u-1", "namespace": "default"], "log_directory": "/var/log/pods/web",
        ]
    ]

    /// The least that CreateContainer's `config` is.
    static let container: JSON = ["metadata": ["name": "main"], "image": ["image": "busybox"]]

    static let resources: JSON = [
        "cpu_period": 100_000, "cpu_quota": 50_000, "cpu_shares": 512, "memory_limit_in_bytes": 67_108_864,
        "oom_score_adj": 100, "cpuset_cpus": "0-1", "cpuset_mems": "0",
        "hugepage_limits": [["page_size": "2MB", "limit": 4_194_304]], "unified": ["memory.high": "33554432"],
        "memory_swap_limit_in_bytes": 134_217_728,
    ]

    /// Every field of a pod that can be set together with the others.
    static let fullPod: JSON = [
        "metadata": ["name": "web", "uid": "u-1", "namespace": "default", "attempt": 1], "hostname": "web-0",
        "log_directory": "/var/log/pods/web",
        "dns_config": ["servers": ["10.0.0.10"], "searches": ["svc.local"], "options": ["ndots:5"]],
        "port_mappings": [["protocol": 1, "container_port": 53, "host_port": 5353, "host_ip": "127.0.0.1"]],
        "labels": ["app": "web"], "annotations": ["note": "text"],
        "linux": [
            "cgroup_parent": "/kubepods/pod1", "sysctls": ["net.core.somaxconn": "1024"], "overhead": resources,
            "resources": resources,
            "security_context": [
                "namespace_options": ["network": 0, "pid": 0, "ipc": 0, "userns_options": ["mode": 2]],
                "run_as_user": ["value": 1000], "run_as_group": ["value": 1000], "readonly_rootfs": true,
                "supplemental_groups": [2000], "supplemental_groups_policy": 1, "privileged": true,
                "seccomp": ["profile_type": 0], "apparmor": ["profile_type": 0],
                "seccomp_profile_path": "runtime/default",
            ],
        ],
    ]

    /// Every field of a container that can be set together with the others.
    static let fullContainer: JSON = [
        "metadata": ["name": "main", "attempt": 1],
        "image": ["image": "busybox", "annotations": ["note": "text"], "user_specified_image": "busybox:latest"],
        "command": ["/bin/sh"], "args": ["-c", "true"], "working_dir": "/work",
        "envs": [["key": "NAME", "value": "dmFsdWU="]],
        "mounts": [
            [
                "container_path": "/mnt", "host_path": "/srv/volume", "readonly": true, "selinux_relabel": true,
                "propagation": 1,
            ]
        ],
        "devices": [["container_path": "/dev/fuse", "host_path": "/dev/fuse", "permissions": "rw"]],
        "labels": ["app": "web"], "annotations": ["note": "text"], "log_path": "main/0.log", "stdin": true,
        "stdin_once": true, "tty": true, "stop_signal": 10,
        "linux": [
            "resources": resources,
            "security_context": [
                "capabilities": ["add_capabilities": ["NET_ADMIN"], "drop_capabilities": ["MKNOD"]],
                "privileged": false,
                "namespace_options": [
                    "network": 0, "pid": 3, "ipc": 0, "target_id": "$TARGET", "userns_options": ["mode": 2],
                ],
                "run_as_user": ["value": 1000], "run_as_group": ["value": 1000], "readonly_rootfs": true,
                "supplemental_groups": [2000], "supplemental_groups_policy": 1, "no_new_privs": true,
                "masked_paths": ["/proc/kcore"], "readonly_paths": ["/proc/sys"],
                "seccomp": ["profile_type": 2, "localhost_ref": "/profiles/1.json"], "apparmor": ["profile_type": 0],
                "apparmor_profile": "runtime/default", "seccomp_profile_path": "runtime/default",
            ],
        ],
    ]

    private static let imageSpec: JSON = [
        "image": "docker.io/library/busybox:latest", "annotations": ["note": "text"], "user_specified_image": "busybox",
    ]
    private static let podFilter: JSON = ["id": "$POD", "state": ["state": 0], "label_selector": ["app": "web"]]
    private static let podStatsFilter: JSON = ["id": "$POD", "label_selector": ["app": "web"]]
    private static let statsFilter: JSON = [
        "id": "$CONTAINER", "pod_sandbox_id": "$POD", "label_selector": ["app": "web"],
    ]
    private static let containerFilter: JSON = [
        "id": "$CONTAINER", "state": ["state": 1], "pod_sandbox_id": "$POD", "label_selector": ["app": "web"],
    ]

    /// Every method whose fields have rows.
    static let methods = (Array(full.keys) + unsupported.keys).sorted()

    /// Whole requests of methods that are refused whatever they say: as unknown, as bad, or as not supported.
    static let unsupported: [String: JSON] = [
        "CheckpointContainer": ["container_id": "$CONTAINER", "location": "/x.tar", "timeout": 1],
        "CheckpointPod": [
            "pod_sandbox_id": "$POD", "output_path": "/x", "container_ids": ["$CONTAINER"], "options": ["a": "b"],
        ],
        "RestorePod": [
            "checkpoint_path": "/x", "config": fullPod, "options": ["a": "b"], "container_configs": [fullContainer],
        ],
    ]

    /// A valid request of every method of this version, as full as it can be.
    static let full: [String: JSON] = [
        "Version": ["version": "0.1.0"], "Status": ["verbose": true],
        "RunPodSandbox": ["config": fullPod], "StopPodSandbox": ["pod_sandbox_id": "$POD"],
        "RemovePodSandbox": ["pod_sandbox_id": "$POD"],
        "PodSandboxStatus": ["pod_sandbox_id": "$POD", "verbose": true],
        "ListPodSandbox": ["filter": podFilter], "StreamPodSandboxes": ["filter": podFilter],
        "UpdatePodSandboxResources": ["pod_sandbox_id": "$POD", "overhead": resources, "resources": resources],
        "CreateContainer": ["pod_sandbox_id": "$POD", "config": fullContainer, "sandbox_config": fullPod],
        "StartContainer": ["container_id": "$CONTAINER"],
        "StopContainer": ["container_id": "$CONTAINER", "timeout": 10],
        "RemoveContainer": ["container_id": "$CONTAINER"], "ListContainers": ["filter": containerFilter],
        "StreamContainers": ["filter": containerFilter],
        "ContainerStatus": ["container_id": "$CONTAINER", "verbose": true],
        "UpdateContainerResources": [
            "container_id": "$CONTAINER", "linux": resources, "annotations": ["note": "text"],
        ],
        "ReopenContainerLog": ["container_id": "$CONTAINER"],
        "ContainerStats": ["container_id": "$CONTAINER"],
        "ListContainerStats": ["filter": statsFilter], "StreamContainerStats": ["filter": statsFilter],
        "PodSandboxStats": ["pod_sandbox_id": "$POD"],
        "ListPodSandboxStats": ["filter": podStatsFilter], "StreamPodSandboxStats": ["filter": podStatsFilter],
        "Exec": [
            "container_id": "$CONTAINER", "cmd": ["/bin/true"], "tty": true, "stdin": true, "stdout": true,
            "stderr": false,
        ],
        "Attach": ["container_id": "$CONTAINER", "stdin": true, "tty": false, "stdout": true, "stderr": true],
        "PortForward": ["pod_sandbox_id": "$POD", "port": [8080]],
        "ExecSync": ["container_id": "$CONTAINER", "cmd": ["/bin/true"], "timeout": 10],
        "UpdateRuntimeConfig": ["runtime_config": ["network_config": ["pod_cidr": "10.0.0.0/24"]]],
        "RuntimeConfig": [:], "ListMetricDescriptors": [:], "ListPodSandboxMetrics": [:],
        "StreamPodSandboxMetrics": [:],
        "ListImages": ["filter": ["image": imageSpec]], "StreamImages": ["filter": ["image": imageSpec]],
        "ImageStatus": ["image": imageSpec, "verbose": true],
        "PullImage": [
            "image": imageSpec,
            "auth": [
                "username": "user", "password": "password", "auth": "dTpw", "server_address": "registry.example",
                "identity_token": "token", "registry_token": "token",
            ], "sandbox_config": fullPod,
        ],
        "RemoveImage": ["image": imageSpec], "ImageFsInfo": [:],
    ]
}

extension JSON {
    /// The document with every string that is a key of `names` replaced by its value.
    func replacing(_ names: [String: String]) -> JSON {
        switch self {
        case .string(let text): .string(names[text] ?? text)
        case .array(let items): .array(items.map { $0.replacing(names) })
        case .object(let members): .object(members.mapValues { $0.replacing(names) })
        case .bool, .number: self
        }
    }
}
