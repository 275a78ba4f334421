import ArgumentParser
import CLICore
import CRIProto
import Foundation

/// The flags of `run` that describe the container, named as docker and podman name them.
struct RunOptions: ParsableArguments {
    @Option(help: "Name of the pod and its container (default: made up).")
    var name: String?

    @Option(
        name: .shortAndLong, parsing: .singleValue, help: "NAME=VALUE, or NAME to pass on one's own. May be repeated.")
    var env: [String] = []

    @Option(
        name: [.customShort("v"), .long], parsing: .singleValue,
        help: "SOURCE:TARGET[:ro,rslave,rshared], a directory or file of this machine. May be repeated.")
    var mount: [String] = []

    @Option(help: "The program to run instead of the image's.")
    var entrypoint: String?

    @Option(name: .shortAndLong, help: "UID, UID:GID or a user's name.")
    var user: String?

    @Option(name: .shortAndLong, help: "The working directory.")
    var workdir: String?

    @Option(name: .shortAndLong, help: "The memory limit: 64M, 1.5G.")
    var memory: String?

    @Option(help: "The limit of processor time, in processors: 0.5, 2.")
    var cpus: Double?

    @Option(name: .shortAndLong, parsing: .singleValue, help: "A label, NAME=VALUE. May be repeated.")
    var label: [String] = []

    @Flag(help: "Use this machine's network.")
    var hostNetwork = false

    @Flag(name: .shortAndLong, help: "Send the input to the process.")
    var interactive = false

    @Flag(name: .shortAndLong, help: "Give the process a terminal; with --interactive it gets ours.")
    var tty = false

    @Flag(help: "Make the root filesystem read-only.")
    var readOnly = false

    @Flag(help: "Take all protections away.")
    var privileged = false

    /// The workload that the flags describe.
    func workload(
        image: String, arguments: [String], uid: String, environment own: [String: String]
    ) throws(Failure) -> Workload {
        var workload = Workload(name: try podName(uid), uid: uid, image: image)
        workload.command = entrypoint.map { [$0] } ?? []
        workload.arguments = arguments
        workload.labels = try parseLabels(label)
        workload.workingDirectory = workdir ?? ""
        workload.hasTerminal = tty
        workload.hasInput = interactive
        workload.hasReadOnlyRoot = readOnly
        workload.isPrivileged = privileged
        workload.usesHostNetwork = hostNetwork
        for variable in env { if let pair = try parse(variable: variable, own) { workload.environment.append(pair) } }
        for text in mount { workload.mounts.append(try parse(mount: text)) }
        if let user { workload.user = try parse(user: user) }
        if let memory {
            guard let bytes = parseSize(memory), bytes > 0 else {
                throw .usage("--memory \"\(printable(memory))\": expected a size such as 64M")
            }
            workload.memoryLimitBytes = bytes
        }
        if let cpus {
            guard cpus > 0, cpus <= 4096 else { throw .usage("--cpus \(cpus): expected more than 0 and at most 4096") }
            workload.processors = cpus
        }
        return workload
    }

    // MARK: - Parts

    private func podName(_ uid: String) throws(Failure) -> String {
        guard let name else { return "run-\(uid.prefix(8))" }
        let allowed = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        guard allowed, (1...253).contains(name.utf8.count) else {
            throw .usage("--name \"\(printable(name))\": expected lower-case letters, digits, \"-\" and \".\"")
        }
        return name
    }

    private func parse(variable: String, _ own: [String: String]) throws(Failure) -> (name: String, value: String)? {
        let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty else {
            throw .usage("--env \"\(printable(variable))\": the name is empty")
        }
        if parts.count == 2 { return (name, parts[1]) }
        return own[name].map { (name, $0) }
    }

    private func parse(mount text: String) throws(Failure) -> Runtime_V1_Mount {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), !parts[0].isEmpty, parts[1].hasPrefix("/") else {
            throw .usage("--mount \"\(printable(text))\": expected SOURCE:TARGET[:OPTIONS] with an absolute target")
        }
        var mount = Runtime_V1_Mount()
        mount.hostPath = parts[0].hasPrefix("/") ? parts[0] : URL(filePath: parts[0]).standardizedFileURL.path
        mount.containerPath = parts[1]
        for option in parts.count == 3 ? parts[2].split(separator: ",") : [] {
            switch option {
            case "ro": mount.readonly = true
            case "rw": mount.readonly = false
            case "rprivate", "private": mount.propagation = .propagationPrivate
            case "rslave", "slave": mount.propagation = .propagationHostToContainer
            case "rshared", "shared": mount.propagation = .propagationBidirectional
            default:
                throw .usage(
                    "--mount \"\(printable(text))\": \"\(printable(String(option)))\" is not ro, rw, rprivate, rslave or rshared"
                )
            }
        }
        return mount
    }

    private func parse(user text: String) throws(Failure) -> Workload.User {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let first = parts.first, !first.isEmpty, parts.count <= 2 else {
            throw .usage("--user \"\(printable(text))\": expected UID, UID:GID or a name")
        }
        guard let id = Int64(first) else {
            guard parts.count == 1 else {
                throw .usage("--user \"\(printable(text))\": a group can only be given with a numeric user")
            }
            return .name(text)
        }
        let group = parts.count == 2 ? Int64(parts[1]) : nil
        guard id >= 0, id <= Int64(UInt32.max), parts.count == 1 || group.map({ $0 >= 0 && $0 <= UInt32.max }) ?? false
        else {
            throw .usage("--user \"\(printable(text))\": expected numbers from 0 to \(UInt32.max)")
        }
        return .id(id, group: group)
    }
}
