import CLICore
import CRIProto

/// Lines of "Name: value" about one object, for -o table of the inspect commands.
struct Sheet {
    private(set) var text = ""

    mutating func add(_ name: String, _ value: String) {
        guard !value.isEmpty else { return }
        text += "\(name): \(printable(value))\n"
    }

    mutating func add(_ name: String, _ values: [String: String]) {
        guard !values.isEmpty else { return }
        text += "\(name):\n"
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            text += "\t\(printable(key)) -> \(printable(value))\n"
        }
    }

    mutating func add(_ name: String, time: UnixNanoseconds, now: UnixNanoseconds) {
        guard time != 0 else { return }
        add(name, "\(rfc3339(time)) (\(agoText(time, now: now)))")
    }
}

/// A container.
struct ContainerSheet {
    let text: String

    /// - Parameter pod: the pod's id and namespace, which a container's status does not tell.
    init(
        _ response: Runtime_V1_ContainerStatusResponse, in pod: (id: String, namespace: String)? = nil,
        now: UnixNanoseconds, verbose: Bool
    ) {
        let status = response.status
        var sheet = Sheet()
        sheet.add("ID", status.id)
        if let pod {
            sheet.add("PodID", pod.id)
            sheet.add("Namespace", pod.namespace)
        }
        sheet.add("Name", status.metadata.name)
        sheet.add("Attempt", String(status.metadata.attempt))
        sheet.add("State", status.state.word)
        sheet.add(
            "Image", status.image.userSpecifiedImage.isEmpty ? status.image.image : status.image.userSpecifiedImage)
        sheet.add("Created", time: status.createdAt, now: now)
        sheet.add("Started", time: status.startedAt, now: now)
        sheet.add("Finished", time: status.finishedAt, now: now)
        if status.state == .containerExited { sheet.add("Exit Code", String(status.exitCode)) }
        sheet.add("Reason", status.reason)
        sheet.add("Message", status.message)
        sheet.add("Log", status.logPath)
        sheet.add("Labels", status.labels)
        sheet.add("Annotations", status.annotations)
        if verbose { sheet.add("Info", response.info) }
        text = sheet.text
    }
}

/// A pod.
struct PodSheet {
    let text: String

    init(_ response: Runtime_V1_PodSandboxStatusResponse, now: UnixNanoseconds, verbose: Bool) {
        let status = response.status
        var sheet = Sheet()
        sheet.add("ID", status.id)
        sheet.add("Name", status.metadata.name)
        sheet.add("UID", status.metadata.uid)
        sheet.add("Namespace", status.metadata.namespace)
        sheet.add("Attempt", String(status.metadata.attempt))
        sheet.add("Status", status.state.word)
        sheet.add("Created", time: status.createdAt, now: now)
        sheet.add("IP Addresses", status.addresses.joined(separator: ", "))
        sheet.add("Runtime", status.runtimeHandler.isEmpty ? "(default)" : status.runtimeHandler)
        sheet.add("Labels", status.labels)
        sheet.add("Annotations", status.annotations)
        if verbose { sheet.add("Info", response.info) }
        text = sheet.text
    }
}

/// An image.
struct ImageSheet {
    let text: String

    init(_ response: Runtime_V1_ImageStatusResponse, verbose: Bool) {
        let image = response.image
        var sheet = Sheet()
        sheet.add("ID", image.id)
        for tag in image.repoTags { sheet.add("Tag", tag) }
        for digest in image.repoDigests { sheet.add("Digest", digest) }
        sheet.add("Size", "\(image.size) (\(sizeText(image.size)))")
        if image.hasUid { sheet.add("User", String(image.uid.value)) } else { sheet.add("User", image.username) }
        if image.pinned { sheet.add("Pinned", "true") }
        if verbose { sheet.add("Info", response.info) }
        text = sheet.text
    }
}
