// Probes, and the handlers of hooks.
extension PodReader {
    func probe(_ fields: ManifestFields, _ kind: ProbeKind) -> Probe? {
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
    func handler(_ fields: ManifestFields) -> Handler? {
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
            let scheme = http.choice("scheme", ProbeScheme.self) ?? .HTTP
            found.append(
                .http(
                    path: path, port: http.word("port") ?? "", host: http.string("host") ?? "", headers: headers,
                    isSecure: scheme == .HTTPS))
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
        if !isHook, let grpc = fields.fields("grpc") {
            if grpc.node("port") == nil { grpc.error("port", "is missing") }
            found.append(.grpc(port: grpc.integer("port", 1...65535) ?? 0, service: grpc.string("service") ?? ""))
            grpc.end()
        }
        fields.end()
        if found.count > 1 { fields.error("", "has more than one action") }
        if found.isEmpty { fields.error("", "has no action") }
        return found.first
    }
}

private enum ProbeScheme: String, CaseIterable { case HTTP, HTTPS }
