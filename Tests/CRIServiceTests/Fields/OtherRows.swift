import GRPC

/// The other requests of this version, field by field.
enum OtherRows {
    /// UpdateContainerResources of a running container.
    static let update: [FieldRow] =
        limits + [
            .enforced(
                "linux.hugepage_limits[].page_size", "1GB", .limits, .status, other: "2MB",
                with: [("linux.hugepage_limits[].limit", 4_194_304)]),
            .enforced(
                "linux.hugepage_limits[].limit", 4_194_304, .limits, .status,
                with: [("linux.hugepage_limits[].page_size", "2MB")]),
            .enforced(
                "container_id", "$CONTAINER", .limits, .status, other: "$UNKNOWN", with: [("linux.cpu_shares", 77)],
                note: "NotFound if there is none"),
            .refused("windows.*", note: "not a Linux field"),
            .informational("annotations", ["note": "text"], note: "for plugins; checked"),
        ]

    private static let limits: [FieldRow] = FieldRow.resources("linux") { path, value, channel in
        .enforced(path, value, channel, .status)
    }

    /// UpdatePodSandboxResources.
    static let updatePod: [FieldRow] =
        podResources("overhead") + podResources("resources") + [
            .enforced("pod_sandbox_id", "$POD", .info, other: "$UNKNOWN", with: [("resources.cpu_shares", 77)])
        ]

    private static func podResources(_ name: String) -> [FieldRow] {
        let note = "for information in the CRI; kept with the pod"
        var rows = FieldRow.resources(name) { path, value, _ in .informational(path, value, .info, note: note) }
        let size = name + ".hugepage_limits[].page_size"
        let limit = name + ".hugepage_limits[].limit"
        rows.append(.informational(size, "1GB", .info, other: "2MB", with: [(limit, JSON.number("0"))], note: note))
        rows.append(.informational(limit, 4_194_304, .info, with: [(size, JSON.string("2MB"))], note: note))
        return rows
    }

    private static let stdin: [(String, JSON)] = [("stdin", true)]

    static let exec: [FieldRow] = [
        .enforced("container_id", "$CONTAINER", .streamTarget, other: "$UNKNOWN", note: "NotFound if there is none"),
        .enforced("cmd", ["/bin/other"], .streamTarget, other: ["/bin/true"]),
        .enforced("stdin", true, .streamTarget), .enforced("stdout", true, .streamTarget, with: stdin),
        .enforced("stderr", true, .streamTarget, note: "refused with tty"), .enforced("tty", true, .streamTarget),
    ]

    static let attach: [FieldRow] = [
        .enforced("container_id", "$CONTAINER", .streamTarget, other: "$UNKNOWN", note: "NotFound if there is none"),
        .enforced("stdin", true, .streamTarget), .enforced("stdout", true, .streamTarget, with: stdin),
        .enforced("stderr", true, .streamTarget, note: "refused with tty"),
        .enforced("tty", true, .streamTarget, note: "refused where the container has no terminal"),
    ]

    static let portForward: [FieldRow] = [
        .enforced("pod_sandbox_id", "$POD", .streamTarget, other: "$UNKNOWN", note: "NotFound if there is none"),
        .enforced("port", [8080], .streamTarget, note: "of clients that name none themselves"),
    ]

    private static let image: [(String, JSON)] = [("image.image", "busybox")]

    static let pull: [FieldRow] =
        credentials + [
            .enforced("image.image", "other", .pull, other: "busybox"),
            .informational(
                "image.annotations", ["note": "text"], with: image, note: "checked; nothing of an image depends on it"),
            .informational("image.user_specified_image", "busybox:1", with: image, note: "of statuses"),
            .refused("image.runtime_handler", "kata", .invalidArgument, with: image, note: "the only handler is \"\""),
            .refused("image.image_ref", "sha256:1", with: image, note: "of statuses only"),
            .informational("sandbox_config.*", [:], with: image, note: "nothing of a pull depends on the pod"),
        ]

    private static let credentials: [FieldRow] =
        ["username", "password", "auth", "server_address", "identity_token", "registry_token"].map {
            .enforced("auth." + $0, "value", .pull, with: image)
        }

    /// Requests that name or select objects: the tests of this target that are named here show what they do.
    static let selecting: [Selecting] = objects + specs + unsupported

    /// What is not in this version.
    private static let unsupported: [Selecting] = [
        ("CheckpointContainer", "container_id", "enforced: selects the container"),
        ("CheckpointContainer", "location", "refused: unimplemented"),
        ("CheckpointContainer", "timeout", "refused: unimplemented"),
        ("CheckpointPod", "pod_sandbox_id", "enforced: selects the pod"),
        ("CheckpointPod", "output_path", "refused: unimplemented"),
        ("CheckpointPod", "container_ids", "refused: unimplemented"),
        ("CheckpointPod", "options", "refused: unimplemented"), ("RestorePod", "*", "refused: unimplemented"),
    ]

    typealias Selecting = (method: String, path: String, where: String)

    private static let objects: [Selecting] = [
        ("Version", "version", "informational: the answer is the same for every client"),
        ("Status", "verbose", "enforced: info"),
        ("StopPodSandbox", "pod_sandbox_id", "enforced: selects the pod"),
        ("RemovePodSandbox", "pod_sandbox_id", "enforced: selects the pod"),
        ("PodSandboxStatus", "pod_sandbox_id", "enforced: selects the pod"),
        ("PodSandboxStatus", "verbose", "enforced: info"),
        ("ListPodSandbox", "filter.*", "enforced: selects pods"),
        ("StreamPodSandboxes", "filter.*", "enforced: selects pods"),
        ("StartContainer", "container_id", "enforced: selects the container"),
        ("StopContainer", "container_id", "enforced: selects the container"),
        ("StopContainer", "timeout", "enforced: time between stop signal and kill"),
        ("RemoveContainer", "container_id", "enforced: selects the container"),
        ("ListContainers", "filter.*", "enforced: selects containers"),
        ("StreamContainers", "filter.*", "enforced: selects containers"),
        ("ContainerStatus", "container_id", "enforced: selects the container"),
        ("ContainerStatus", "verbose", "enforced: info"),
        ("ReopenContainerLog", "container_id", "enforced: selects the container"),
        ("ContainerStats", "container_id", "enforced: selects the container"),
        ("ListContainerStats", "filter.*", "enforced: selects containers"),
        ("StreamContainerStats", "filter.*", "enforced: selects containers"),
        ("PodSandboxStats", "pod_sandbox_id", "enforced: selects the pod"),
        ("ListPodSandboxStats", "filter.*", "enforced: selects pods"),
        ("StreamPodSandboxStats", "filter.*", "enforced: selects pods"),
        ("ExecSync", "container_id", "enforced: selects the container"), ("ExecSync", "cmd", "enforced: exec plan"),
        ("ExecSync", "timeout", "enforced: time after which the command is killed"),
        (
            "UpdateRuntimeConfig", "runtime_config.network_config.pod_cidr",
            "informational: the CNI configuration decides"
        ),
        ("ListImages", "filter.image.image", "enforced: selects the image"),
        ("StreamImages", "filter.image.image", "enforced: selects the image"),
        ("ImageStatus", "image.image", "enforced: selects the image"), ("ImageStatus", "verbose", "enforced: info"),
        ("RemoveImage", "image.image", "enforced: selects the image"),
    ]

    private static let specs: [Selecting] = {
        var rows: [Selecting] = []
        for method in ["ListImages", "StreamImages"] {
            for field in ["annotations", "user_specified_image", "runtime_handler", "image_ref"] {
                rows.append((method, "filter.image." + field, "informational: an image is selected by its name alone"))
            }
        }
        for method in ["ImageStatus", "RemoveImage"] {
            for field in ["annotations", "user_specified_image"] {
                rows.append((method, "image." + field, "informational: an image is selected by its name alone"))
            }
            rows.append((method, "image.runtime_handler", "refused: the only handler is \"\""))
            rows.append((method, "image.image_ref", "refused: of statuses only"))
        }
        return rows
    }()

    /// Rows that are shown by a difference, by method.
    static let compared: [(method: String, rows: [FieldRow])] = [
        ("RunPodSandbox", PodRows.rows), ("CreateContainer", ContainerRows.rows), ("UpdateContainerResources", update),
        ("UpdatePodSandboxResources", updatePod), ("PullImage", pull), ("Exec", exec), ("Attach", attach),
        ("PortForward", portForward),
    ]
}
