/// The systemd unit and its drop-ins: what they give the daemon is inherited by supervisors and containers.
enum UnitCheck {
    private static let name = "swiftlet.service"
    /// systemd.unit(5), those with more weight first.
    private static let places = [
        "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
        "/run/systemd/generator.early", "/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator",
        "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
        "/run/systemd/generator.late",
    ]

    /// A value, and the file that gives it.
    private struct Setting {
        var key: String
        var value: String
        var file: String
    }

    static func run(_ node: some NodePort, _ findings: inout [Finding]) {
        guard let place = places.first(where: { node.kind($0 + "/" + name) != nil }) else {
            if node.kind("/run/systemd/system") != nil {
                findings.add(
                    .note, .unit, "systemd has no \(name)", breaks: "the daemon is not started at boot",
                    mend: "install the package, or start swiftletd by other means")
            }
            return
        }
        if node.link(place + "/" + name) == "/dev/null" {
            return findings.add(
                .error, .unit, "\(name) is masked by \(place)/\(name)", breaks: "systemd does not start the daemon",
                mend: "systemctl unmask \(name)")
        }
        var values: [String: String] = [:]
        var harmful: [Setting] = []
        for file in [place + "/" + name] + dropIns(node) {
            for (key, value) in Self.directives(node.text(file) ?? "") {
                values[key] = value
                guard UnitDirectives.harm(of: key) != nil else { continue }
                // The last one counts; a list grows, but one line of it is enough to tell.
                harmful.removeAll { $0.key == key }
                if !UnitDirectives.isOff(key, value) { harmful.append(Setting(key: key, value: value, file: file)) }
            }
        }
        for setting in harmful {
            guard let harm = UnitDirectives.harm(of: setting.key) else { continue }
            findings.add(
                .error, .unit, "\(setting.file) has \(setting.key)=\(setting.value), which \(harm.does)",
                breaks: harm.breaks,
                mend: "take the line out, then systemctl daemon-reload and systemctl restart swiftlet; pods that "
                    + "were started meanwhile keep what they inherited until they are made anew")
        }
        service(values, &findings)
    }

    /// How systemd starts, watches and ends the daemon.
    private static func service(_ values: [String: String], _ findings: inout [Finding]) {
        func found(_ severity: Finding.Severity, _ key: String, _ value: String, breaks: String) {
            findings.add(
                severity, .unit, "the unit has \(key)=\(values[key] ?? "(not set)")", breaks: breaks,
                mend: "set \(key)=\(value) in [Service], then systemctl daemon-reload")
        }
        if values["KillMode"] != "process" {
            found(
                .error, "KillMode", "process",
                breaks: "stopping or upgrading the daemon ends supervisors, and pods with them")
        }
        if !["yes", "y", "true", "t", "on", "1"].contains((values["Delegate"] ?? "").lowercased()) {
            found(.error, "Delegate", "yes", breaks: "systemd may take the cgroups of pods away")
        }
        switch values["Type"] ?? "simple" {
        case "notify", "notify-reload": break
        case "simple", "exec", "idle":
            found(
                .note, "Type", "notify",
                breaks: "units after it start before calls are answered, and no watchdog sees a daemon that hangs")
        default:
            found(.error, "Type", "notify", breaks: "systemd waits for what the daemon never does, and ends it")
        }
        if ["", "no", "on-success"].contains(values["Restart"] ?? "") {
            found(.warning, "Restart", "always", breaks: "a daemon that ended in an error stays away")
        }
    }

    /// Drop-ins of the unit and of all services, in the order in which they are read: by name, whatever their directory.
    private static func dropIns(_ node: some NodePort) -> [String] {
        var files: [String: String] = [:]
        for place in places {
            for directory in [name + ".d", "service.d"] {
                for file in node.names("\(place)/\(directory)") ?? [] where file.hasSuffix(".conf") {
                    // A file hides those of the same name in directories of lesser weight.
                    if files[file] == nil { files[file] = "\(place)/\(directory)/\(file)" }
                }
            }
        }
        return files.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The directives of [Service], continued lines joined.
    static func directives(_ text: String) -> [(key: String, value: String)] {
        var found: [(String, String)] = []
        var isService = false
        let joined = text.replacing("\\\n", with: " ")
        for line in joined.split(separator: "\n") {
            let line = line.trimmingPrefix(while: \.isWhitespace)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                isService = line.hasPrefix("[Service]")
                continue
            }
            guard isService, let sign = line.firstIndex(of: "=") else { continue }
            func word(_ part: Substring) -> String {
                String(part.trimmingPrefix(while: \.isWhitespace).reversed().drop { $0.isWhitespace }.reversed())
            }
            found.append((word(line[..<sign]), word(line[line.index(after: sign)...])))
        }
        return found
    }
}
