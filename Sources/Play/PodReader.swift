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

    func read(_ spec: ManifestFields, _ pod: inout PodManifest) {
        pod.restartPolicy = spec.choice("restartPolicy", RestartPolicy.self) ?? .Always
        pod.terminationGrace = spec.integer("terminationGracePeriodSeconds") ?? 30
        pod.activeDeadline = spec.integer("activeDeadlineSeconds", 1...Int64(Int32.max))
        pod.hostname = spec.string("hostname") ?? ""
        pod.subdomain = spec.string("subdomain") ?? ""
        pod.hasFullHostname = spec.bool("setHostnameAsFQDN") ?? false
        for (name, value) in [("hostname", pod.hostname), ("subdomain", pod.subdomain)]
        where !value.isEmpty && (!isLabel(value) || value.contains(".") || value.utf8.count > 63) {
            spec.error(name, "is \"\(value)\", not a DNS label")
        }
        // The kernel's limit of a host's name.
        if pod.hasFullHostname, pod.ownHostname.utf8.count > 64 {
            spec.error("setHostnameAsFQDN", "makes the name \"\(pod.ownHostname)\", which is longer than 64 bytes")
        }
        pod.hostNetwork = spec.bool("hostNetwork") ?? false
        pod.hostPID = spec.bool("hostPID") ?? false
        pod.hostIPC = spec.bool("hostIPC") ?? false
        pod.sharesProcesses = spec.bool("shareProcessNamespace") ?? false
        // The older name of the field, which an API server still adds.
        let oldAccount = spec.string("serviceAccount")
        pod.serviceAccount = spec.string("serviceAccountName") ?? oldAccount ?? "default"
        pod.runtimeHandler = spec.string("runtimeClassName") ?? ""
        spec.ignore(
            "nodeName", "enableServiceLinks", "automountServiceAccountToken", "schedulerName", "priority",
            "preemptionPolicy", "priorityClassName", "tolerations")
        spec.cannot(
            "affinity", "ephemeralContainers", "hostUsers",
            "nodeSelector", "overhead", "readinessGates", "resourceClaims",
            "resources", "schedulingGates",
            "topologySpreadConstraints", "os")
        pod.dns = resolver(spec)
        pod.pullSecrets = spec.objects("imagePullSecrets").map { secret in
            let name = secret.required("name")
            secret.end()
            return name
        }
        pod.hostAliases = spec.objects("hostAliases").map(hostAlias)
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

    func check(_ spec: ManifestFields, _ pod: PodManifest) {
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
                case .http(_, let port, _, _, _), .tcp(let port, _):
                    guard let number = container.port(port), (1...65535).contains(number) else {
                        spec.error(
                            "containers",
                            "has a probe or hook of \"\(container.name)\" with the unknown port \"\(port)\"")
                        continue
                    }
                case .exec, .sleep, .grpc: continue
                }
            }
        }
    }

    func check(
        _ mount: VolumeMount, of container: ContainerManifest, _ spec: ManifestFields, _ pod: PodManifest
    ) {
        if !pod.volumes.contains(where: { $0.name == mount.volume }) {
            spec.error("volumes", "has no \"\(mount.volume)\", which container \"\(container.name)\" mounts")
        }
    }

    func read(security: ManifestFields, _ pod: inout PodManifest) {
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

    func seccomp(_ fields: ManifestFields) -> SeccompChoice? {
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
}
