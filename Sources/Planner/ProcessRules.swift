import Model
import OCI

/// Arguments, environment and working directory of a container's process.
enum ProcessRules {
    /// docker's rules: the request's command replaces entrypoint and command of the image, its arguments alone
    /// replace the image's command.
    static func arguments(_ container: ContainerConfig, _ image: RuntimeImage) throws(Fault) -> [String] {
        // Some builders write "no entrypoint" as one empty string.
        let entrypoint = image.entrypoint == [""] ? [] : image.entrypoint
        let arguments =
            container.command.isEmpty
            ? entrypoint + (container.args.isEmpty ? image.command : container.args)
            : container.command + container.args
        return try checked(arguments)
    }

    /// A command that execve(2) can be asked for.
    static func checked(_ arguments: [String]) throws(Fault) -> [String] {
        guard let first = arguments.first, !first.isEmpty else { throw .invalid("no command specified") }
        for argument in arguments {
            guard !argument.utf8.contains(0) else {
                throw .invalid("argument \(NodePath.quoted(argument)) has a NUL byte")
            }
        }
        return arguments
    }

    /// PATH, HOSTNAME, TERM for a terminal, the image's entries, the request's; a later one takes the place of an
    /// earlier one of its name. HOME comes from the user unless one of them has it.
    static func environment(
        _ container: ContainerConfig, _ image: RuntimeImage, _ user: ResolvedUser, hostname: String, searchPath: String
    ) throws(Fault) -> [RuntimeText] {
        var environment = Environment()
        environment.set("PATH", Array(searchPath.utf8))
        environment.set("HOSTNAME", Array(hostname.utf8))
        if container.tty { environment.set("TERM", Array("xterm".utf8)) }
        for entry in image.environment { environment.setFromImage(entry) }
        for variable in container.environment {
            let name = variable.name
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")), !name.utf8.contains(0) else {
                throw .invalid(
                    "environment variable name \(NodePath.quoted(name)) is empty or has a \"=\" or a NUL byte")
            }
            guard !variable.value.contains(0) else {
                throw .invalid("environment variable \(NodePath.quoted(name)) has a NUL byte in its value")
            }
            environment.set(name, variable.value)
        }
        if !environment.has("HOME") {
            environment.set(
                "HOME", user.home.isEmpty || user.home.utf8.contains(0) ? [UInt8(ascii: "/")] : Array(user.home.utf8))
        }
        return environment.entries
    }

    static func workingDirectory(_ container: ContainerConfig, _ image: RuntimeImage) throws(Fault) -> String {
        if !container.workingDirectory.isEmpty {
            return try NodePath.normalised(container.workingDirectory, "working_dir")
        }
        guard !image.workingDirectory.isEmpty else { return "/" }
        return try NodePath.normalised(image.workingDirectory, "working directory of the image")
    }
}

/// Entries "NAME=value" in order, one for each name.
struct Environment {
    private(set) var entries: [RuntimeText] = []
    private var places: [[UInt8]: Int] = [:]

    init() {}

    init(_ entries: [RuntimeText]) {
        for entry in entries {
            guard let end = entry.bytes.firstIndex(of: UInt8(ascii: "=")) else { continue }
            set(entry, name: Array(entry.bytes[..<end]))
        }
    }

    func has(_ name: String) -> Bool { places[Array(name.utf8)] != nil }

    func value(_ name: String) -> ArraySlice<UInt8>? {
        guard let place = places[Array(name.utf8)] else { return nil }
        return entries[place].bytes.dropFirst(name.utf8.count + 1)
    }

    mutating func set(_ name: String, _ value: [UInt8]) {
        let name = Array(name.utf8)
        set(RuntimeText(name + [UInt8(ascii: "=")] + value), name: name)
    }

    /// An entry of an image: without a name, a "=", or with a NUL it is no entry and is dropped, never completed from
    /// our own environment (CVE-2026-57231).
    mutating func setFromImage(_ entry: String) {
        let bytes = Array(entry.utf8)
        guard let end = bytes.firstIndex(of: UInt8(ascii: "=")), end > 0, !bytes.contains(0) else { return }
        set(RuntimeText(bytes), name: Array(bytes[..<end]))
    }

    private mutating func set(_ entry: RuntimeText, name: [UInt8]) {
        if let place = places[name] {
            entries[place] = entry
        } else {
            places[name] = entries.count
            entries.append(entry)
        }
    }
}
