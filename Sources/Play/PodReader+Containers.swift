// Containers of a pod.
extension PodReader {
    func container(_ fields: ManifestFields, _ role: ContainerRole) -> ContainerManifest {
        var container = ContainerManifest()
        container.role = role
        container.name = fields.required("name")
        if !container.name.isEmpty, !isLabel(container.name) {
            fields.error("name", "is \"\(container.name)\", not a DNS label")
        }
        container.image = fields.required("image")
        let last = container.image.split(separator: "/").last ?? ""
        let isLatest = container.image.hasSuffix(":latest") || !(last.contains(":") || last.contains("@"))
        container.pullPolicy = fields.choice("imagePullPolicy", PullPolicy.self) ?? (isLatest ? .Always : .IfNotPresent)
        container.command = fields.strings("command")
        container.arguments = fields.strings("args")
        container.workingDirectory = fields.string("workingDir") ?? ""
        container.hasTerminal = fields.bool("tty") ?? false
        container.hasStdin = fields.bool("stdin") ?? false
        container.environment =
            fields.objects("envFrom").compactMap(environmentFrom) + fields.objects("env").compactMap(variable)
        container.mounts = fields.objects("volumeMounts").map(mount)
        container.ports = fields.objects("ports").map(port)
        if let resources = fields.fields("resources") {
            container.limits = resources.quantities("limits")
            container.requests = resources.quantities("requests")
            resources.cannot("claims")
            resources.end()
            for name in Set(container.limits.keys).union(container.requests.keys)
            where name != "cpu" && name != "memory" {
                problems.unhonoured.append(
                    "line \(resources.line): \(resources.path) has \(name), which cannot be honoured")
            }
            for text in Array(container.limits.values) + Array(container.requests.values) where Quantity(text) == nil {
                resources.error("", "has \"\(text)\", which is not a quantity")
            }
        }
        if let security = fields.fields("securityContext") { container.security = read(security: security) }
        if role != .initial {
            container.startup = fields.fields("startupProbe").flatMap { probe($0, .startup) }
            container.liveness = fields.fields("livenessProbe").flatMap { probe($0, .liveness) }
            container.readiness = fields.fields("readinessProbe").flatMap { probe($0, .readiness) }
            if let lifecycle = fields.fields("lifecycle") {
                container.postStart = lifecycle.fields("postStart").flatMap(handler).map(LifecycleHook.init)
                container.preStop = lifecycle.fields("preStop").flatMap(handler).map(LifecycleHook.init)
                lifecycle.cannot("stopSignal")
                lifecycle.end()
            }
        }
        if let path = fields.string("terminationMessagePath") {
            if !path.hasPrefix("/") || path.split(separator: "/").contains("..") {
                fields.error("terminationMessagePath", "is not an absolute path without \"..\"")
            }
            container.terminationMessagePath = path
        }
        if let policy = fields.choice("terminationMessagePolicy", TerminationMessagePolicy.self) {
            container.fallsBackToLog = policy == .FallbackToLogsOnError
        }
        fields.cannot("resizePolicy", "restartPolicyRules", "stdinOnce", "volumeDevices")
        if role == .main { fields.cannot("restartPolicy") }
        fields.end()
        return container
    }

    func read(security: ManifestFields) -> ContainerSecurity {
        var values = ContainerSecurity()
        values.isPrivileged = security.bool("privileged") ?? false
        values.hasReadOnlyRoot = security.bool("readOnlyRootFilesystem") ?? false
        values.allowsEscalation = security.bool("allowPrivilegeEscalation") ?? true
        values.runAsUser = security.integer("runAsUser")
        values.runAsGroup = security.integer("runAsGroup")
        values.runAsNonRoot = security.bool("runAsNonRoot")
        values.seccomp = security.fields("seccompProfile").flatMap(seccomp)
        if let capabilities = security.fields("capabilities") {
            values.added = capabilities.strings("add")
            values.dropped = capabilities.strings("drop")
            capabilities.end()
        }
        security.cannot("appArmorProfile", "procMount", "seLinuxOptions", "windowsOptions")
        security.end()
        return values
    }

    func port(_ fields: ManifestFields) -> ContainerPort {
        let port = ContainerPort(
            name: fields.string("name") ?? "", number: fields.integer("containerPort", 1...65535) ?? 0,
            hostPort: fields.integer("hostPort", 1...65535) ?? 0, hostIP: fields.string("hostIP") ?? "",
            networkProtocol: fields.string("protocol") ?? "TCP")
        if !["TCP", "UDP", "SCTP"].contains(port.networkProtocol) {
            fields.error("protocol", "is not TCP, UDP or SCTP")
        }
        fields.end()
        return port
    }

    func mount(_ fields: ManifestFields) -> VolumeMount {
        let mount = VolumeMount(
            volume: fields.required("name"), path: fields.required("mountPath"),
            subPath: fields.string("subPath") ?? fields.string("subPathExpr") ?? "",
            expandsSubPath: fields.string("subPathExpr") != nil, isReadOnly: fields.bool("readOnly") ?? false,
            propagation: fields.string("mountPropagation") ?? "None",
            line: fields.line)
        if !["None", "HostToContainer", "Bidirectional"].contains(mount.propagation) {
            fields.error("mountPropagation", "is not None, HostToContainer or Bidirectional")
        }
        if !mount.subPath.isEmpty { _ = relative(fields, mount.expandsSubPath ? "subPathExpr" : "subPath") }
        if fields.string("subPath") != nil, mount.expandsSubPath {
            fields.error("subPathExpr", "and subPath are both there")
        }
        fields.cannot("recursiveReadOnly")
        fields.end()
        return mount
    }
}

private enum TerminationMessagePolicy: String, CaseIterable { case File, FallbackToLogsOnError }
