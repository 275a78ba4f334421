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

    func check(
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
