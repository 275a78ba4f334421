/// Reads one Pod.
struct PodReader {
    let problems: ManifestProblems

    func pod(_ fields: ManifestFields) -> PodManifest {
        var pod = PodManifest()
        fields.ignore("status")
        if let metadata = fields.fields("metadata") {
            pod.name = metadata.required("name")
            if !pod.name.isEmpty, !isLabel(pod.name) { metadata.error("name", "is \"\(pod.name)\", not a DNS name") }
            pod.namespace = metadata.string("namespace") ?? "default"
            if !isLabel(pod.namespace) { metadata.error("namespace", "is \"\(pod.namespace)\", not a DNS name") }
            pod.labels = metadata.map("labels")
            pod.annotations = metadata.map("annotations")
            metadata.ignore("creationTimestamp", "uid", "resourceVersion", "generation", "managedFields")
            metadata.cannot("ownerReferences", "finalizers", "generateName")
            metadata.end()
        } else {
            fields.error("metadata", "is missing")
        }
        if let spec = fields.fields("spec") { read(spec, &pod) } else { fields.error("spec", "is missing") }
        return pod
    }

    private func read(_ spec: ManifestFields, _ pod: inout PodManifest) {
        pod.restartPolicy = spec.choice("restartPolicy", RestartPolicy.self) ?? .Always
        pod.terminationGrace = spec.integer("terminationGracePeriodSeconds") ?? 30
        pod.hostname = spec.string("hostname") ?? ""
        pod.hostNetwork = spec.bool("hostNetwork") ?? false
        pod.hostPID = spec.bool("hostPID") ?? false
        pod.hostIPC = spec.bool("hostIPC") ?? false
        pod.sharesProcesses = spec.bool("shareProcessNamespace") ?? false
        pod.serviceAccount = spec.string("serviceAccountName") ?? "default"
        pod.runtimeHandler = spec.string("runtimeClassName") ?? ""
        spec.ignore(
            "nodeName", "enableServiceLinks", "automountServiceAccountToken", "schedulerName", "priority",
            "preemptionPolicy")
        spec.cannot(
            "activeDeadlineSeconds", "affinity", "dnsConfig", "ephemeralContainers", "hostAliases", "hostUsers",
            "imagePullSecrets", "nodeSelector", "overhead", "priorityClassName", "readinessGates", "resourceClaims",
            "resources", "schedulingGates", "setHostnameAsFQDN", "subdomain", "tolerations",
            "topologySpreadConstraints", "os",
            "serviceAccount")
        if let policy = spec.string("dnsPolicy"), !["ClusterFirst", "Default"].contains(policy) {
            problems.unhonoured.append("line \(spec.line): spec.dnsPolicy \(policy) cannot be honoured")
        }
        if let security = spec.fields("securityContext") { read(security: security, &pod) }
        pod.volumes = spec.objects("volumes").compactMap(volume)
        for fields in spec.objects("initContainers") {
            let policy = fields.choice("restartPolicy", RestartPolicy.self)
            if let policy, policy != .Always {
                fields.error("restartPolicy", "of an init container can only be Always")
            }
            pod.containers.append(container(fields, policy == .Always ? .sidecar : .initial))
        }
        let main = spec.objects("containers").map { container($0, .main) }
        if main.isEmpty { spec.error("containers", "has no container") }
        pod.containers += main
        check(spec, pod)
        spec.end()
    }

    private func check(_ spec: ManifestFields, _ pod: PodManifest) {
        var names: Set<String> = []
        for container in pod.containers {
            if !names.insert(container.name).inserted {
                spec.error("containers", "has the name \"\(container.name)\" twice")
            }
            for mount in container.mounts { check(mount, of: container, spec, pod) }
            let handlers =
                ProbeKind.allCases.compactMap { container.probe($0)?.handler }
                + [container.postStart, container.preStop].compactMap { $0?.handler }
            for handler in handlers {
                switch handler {
                case .http(_, let port, _, _), .tcp(let port, _):
                    guard let number = container.port(port), (1...65535).contains(number) else {
                        spec.error(
                            "containers",
                            "has a probe or hook of \"\(container.name)\" with the unknown port \"\(port)\"")
                        continue
                    }
                case .exec, .sleep: continue
                }
            }
        }
    }

    private func check(
        _ mount: VolumeMount, of container: ContainerManifest, _ spec: ManifestFields, _ pod: PodManifest
    ) {
        guard let volume = pod.volumes.first(where: { $0.name == mount.volume }) else {
            return spec.error("volumes", "has no \"\(mount.volume)\", which container \"\(container.name)\" mounts")
        }
        guard !mount.subPath.isEmpty else { return }
        switch volume.source {
        case .configMap, .secret, .downwardAPI: return
        case .emptyDir, .hostPath:
            // Containers write there: the path may be a link that leads out of it, as in CVE-2021-25741.
            problems.unhonoured.append(
                "line \(mount.line): a subPath of volume \"\(volume.name)\", which containers may write, cannot be honoured"
            )
        }
    }

    private func read(security: ManifestFields, _ pod: inout PodManifest) {
        pod.runAsUser = security.integer("runAsUser")
        pod.runAsGroup = security.integer("runAsGroup")
        pod.runAsNonRoot = security.bool("runAsNonRoot")
        pod.fsGroup = security.integer("fsGroup")
        pod.supplementalGroups = security.items("supplementalGroups").compactMap {
            if case .number(let digits) = $0.node.value { return Int64(digits) }
            problems.errors.append("line \($0.node.line): \($0.path) is not a number")
            return nil
        }
        for sysctl in security.objects("sysctls") {
            pod.sysctls[sysctl.required("name")] = sysctl.required("value")
            sysctl.end()
        }
        pod.seccomp = security.fields("seccompProfile").flatMap(seccomp)
        security.ignore("fsGroupChangePolicy")
        security.cannot(
            "appArmorProfile", "seLinuxOptions", "seLinuxChangePolicy", "supplementalGroupsPolicy", "windowsOptions")
        security.end()
    }

    private func seccomp(_ fields: ManifestFields) -> SeccompChoice? {
        let type = fields.required("type")
        let file = fields.string("localhostProfile") ?? ""
        fields.end()
        switch type {
        case "RuntimeDefault": return .runtimeDefault
        case "Unconfined": return .unconfined
        case "Localhost": return .localhost(file)
        default:
            fields.error("type", "is \"\(type)\", not RuntimeDefault, Unconfined or Localhost")
            return nil
        }
    }

    // MARK: - Containers

    private func container(_ fields: ManifestFields, _ role: ContainerRole) -> ContainerManifest {
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
        if let policy = fields.string("terminationMessagePolicy"), policy != "File" {
            fields.cannot("terminationMessagePolicy")
        }
        fields.cannot("resizePolicy", "restartPolicyRules", "stdinOnce", "volumeDevices")
        if role == .main { fields.cannot("restartPolicy") }
        fields.end()
        return container
    }

    private func read(security: ManifestFields) -> ContainerSecurity {
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

    private func port(_ fields: ManifestFields) -> ContainerPort {
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

    private func mount(_ fields: ManifestFields) -> VolumeMount {
        let mount = VolumeMount(
            volume: fields.required("name"), path: fields.required("mountPath"),
            subPath: fields.string("subPath") ?? "",
            isReadOnly: fields.bool("readOnly") ?? false, propagation: fields.string("mountPropagation") ?? "None",
            line: fields.line)
        if !["None", "HostToContainer", "Bidirectional"].contains(mount.propagation) {
            fields.error("mountPropagation", "is not None, HostToContainer or Bidirectional")
        }
        if !mount.subPath.isEmpty { _ = relative(fields, "subPath") }
        fields.cannot("subPathExpr", "recursiveReadOnly")
        fields.end()
        return mount
    }

    // MARK: - Probes and hooks

    private func probe(_ fields: ManifestFields, _ kind: ProbeKind) -> Probe? {
        let initialDelay = fields.integer("initialDelaySeconds") ?? 0
        let period = fields.integer("periodSeconds", 1...Int64(Int32.max)) ?? 10
        let timeout = fields.integer("timeoutSeconds", 1...Int64(Int32.max)) ?? 1
        let successes = fields.integer("successThreshold", 1...Int64(Int32.max)) ?? 1
        let failures = fields.integer("failureThreshold", 1...Int64(Int32.max)) ?? 3
        let grace = fields.integer("terminationGracePeriodSeconds", 1...Int64(Int32.max))
        if kind != .readiness, successes != 1 { fields.error("successThreshold", "can only be 1 for \(kind)") }
        if kind == .readiness, grace != nil { fields.error("terminationGracePeriodSeconds", "is not for readiness") }
        guard let handler = handler(fields) else { return nil }
        var probe = Probe(handler)
        probe.initialDelay = initialDelay
        probe.period = period
        probe.timeout = timeout
        probe.successThreshold = successes
        probe.failureThreshold = failures
        probe.terminationGrace = grace
        return probe
    }

    /// Ends the fields.
    private func handler(_ fields: ManifestFields) -> Handler? {
        var found: [Handler] = []
        let isHook = fields.path.hasSuffix("postStart") || fields.path.hasSuffix("preStop")
        if let exec = fields.fields("exec") {
            found.append(.exec(exec.strings("command")))
            exec.end()
        }
        if let http = fields.fields("httpGet") {
            let headers = http.objects("httpHeaders").map { header in
                let value = Handler.Header(name: header.required("name"), value: header.string("value") ?? "")
                if (value.name + value.value).utf8.contains(where: { $0 < 32 }) {
                    header.error("", "has a control character")
                }
                header.end()
                return value
            }
            let path = http.string("path") ?? "/"
            if path.utf8.contains(where: { $0 <= 32 }) { http.error("path", "has a space or a control character") }
            if let scheme = http.string("scheme"), scheme != "HTTP" {
                problems.unhonoured.append("line \(http.line): \(http.path).scheme \(scheme) cannot be honoured")
            }
            found.append(
                .http(path: path, port: http.word("port") ?? "", host: http.string("host") ?? "", headers: headers))
            http.end()
        }
        if !isHook, let tcp = fields.fields("tcpSocket") {
            found.append(.tcp(port: tcp.word("port") ?? "", host: tcp.string("host") ?? ""))
            tcp.end()
        }
        if isHook, let sleep = fields.fields("sleep") {
            found.append(.sleep(sleep.integer("seconds") ?? 0))
            sleep.end()
        }
        fields.cannot("grpc")
        fields.end()
        if found.count > 1 { fields.error("", "has more than one action") }
        if found.isEmpty, fields.node("grpc") == nil { fields.error("", "has no action") }
        return found.first
    }

    // MARK: - Environment

    private func variable(_ fields: ManifestFields) -> EnvironmentEntry? {
        let name = fields.required("name")
        if name.contains("=") { fields.error("name", "has a \"=\"") }
        let value = fields.string("value")
        var entry = EnvironmentEntry.value(name: name, value ?? "")
        if let from = fields.fields("valueFrom"), let source = source(from) {
            entry = .source(name: name, source, line: fields.line)
        }
        fields.end()
        return entry
    }

    private func environmentFrom(_ fields: ManifestFields) -> EnvironmentEntry? {
        let prefix = fields.string("prefix") ?? ""
        var entry: EnvironmentEntry?
        for (field, isSecret) in [("configMapRef", false), ("secretRef", true)] {
            guard let reference = fields.fields(field) else { continue }
            let name = reference.required("name")
            reference.cannot("optional")
            reference.end()
            entry = .all(
                prefix: prefix, isSecret ? .secret(name, key: "") : .configMap(name, key: ""), line: fields.line)
        }
        fields.end()
        if entry == nil { fields.error("", "names neither a configMapRef nor a secretRef") }
        return entry
    }

    private func source(_ fields: ManifestFields) -> ValueSource? {
        var found: ValueSource?
        if let key = fields.fields("configMapKeyRef") {
            found = .configMap(key.required("name"), key: key.required("key"))
            key.cannot("optional")
            key.end()
        }
        if let key = fields.fields("secretKeyRef") {
            found = .secret(key.required("name"), key: key.required("key"))
            key.cannot("optional")
            key.end()
        }
        if let field = fields.fields("fieldRef") {
            found = .field(field.required("fieldPath"))
            field.ignore("apiVersion")
            field.end()
        }
        if let resource = fields.fields("resourceFieldRef") {
            found = .resource(
                container: resource.string("containerName") ?? "", resource.required("resource"),
                divisor: resource.word("divisor") ?? "1")
            resource.end()
        }
        if found == nil { fields.error("", "has no source that is known here") }
        return found
    }

    // MARK: - Volumes

    private func volume(_ fields: ManifestFields) -> VolumeManifest? {
        let name = fields.required("name")
        if !isLabel(name) { fields.error("name", "is \"\(name)\", not a DNS label") }
        var source: VolumeManifest.Source?
        if let empty = fields.fields("emptyDir") {
            source = .emptyDir
            empty.cannot("medium", "sizeLimit")
            empty.end()
        }
        if let host = fields.fields("hostPath") {
            let type = host.string("type") ?? ""
            let types = [
                "", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice",
            ]
            if !types.contains(type) {
                host.error("type", "is not one of \(types.dropFirst().joined(separator: ", "))")
            }
            let path = host.required("path")
            if !path.hasPrefix("/") || path.split(separator: "/").contains("..") {
                host.error("path", "is not an absolute path without \"..\"")
            }
            source = .hostPath(path, type: type)
            host.end()
        }
        if let map = fields.fields("configMap") {
            source = .configMap(
                map.required("name"), items: map.objects("items").map(item), mode: mode(map, "defaultMode") ?? 0o644,
                isOptional: map.bool("optional") ?? false)
            map.end()
        }
        if let secret = fields.fields("secret") {
            source = .secret(
                secret.required("secretName"), items: secret.objects("items").map(item),
                mode: mode(secret, "defaultMode") ?? 0o644, isOptional: secret.bool("optional") ?? false)
            secret.end()
        }
        if let downward = fields.fields("downwardAPI") {
            let items = downward.objects("items").compactMap { item -> VolumeManifest.Downward? in
                let path = relative(item, "path")
                let mode = mode(item, "mode")
                guard let source = self.source(item) else { return nil }
                item.end()
                return .init(path: path, source: source, mode: mode)
            }
            source = .downwardAPI(items, mode: mode(downward, "defaultMode") ?? 0o644)
            downward.end()
        }
        let others = [
            "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "ephemeral", "fc",
            "flexVolume",
            "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "image", "iscsi", "nfs", "persistentVolumeClaim",
            "photonPersistentDisk", "portworxVolume", "projected", "quobyte", "rbd", "scaleIO", "storageos",
            "vsphereVolume",
        ]
        var isOther = false
        for other in others where fields.node(other) != nil {
            isOther = true
            problems.errors.append(
                "line \(fields.line): \(fields.path).\(other): volumes of this kind cannot be honoured")
        }
        fields.end()
        if source == nil, !isOther { fields.error("", "has no source") }
        return source.map { VolumeManifest(name: name, source: $0, line: fields.line) }
    }

    private func item(_ fields: ManifestFields) -> VolumeManifest.Item {
        let item = VolumeManifest.Item(
            key: fields.required("key"), path: relative(fields, "path"), mode: mode(fields, "mode"))
        fields.end()
        return item
    }

    private func mode(_ fields: ManifestFields, _ name: String) -> Int64? { fields.integer(name, 0...0o777) }

    private func relative(_ fields: ManifestFields, _ name: String) -> String {
        let path = fields.required(name)
        if path.hasPrefix("/") || path.split(separator: "/").contains("..") {
            fields.error(name, "leads out of the volume")
        }
        return path
    }

    private func isLabel(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 253
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
            && name.utf8.first != 46 && name.utf8.first != 45
    }
}
