import ArgumentParser
import CLICore
import CRIProto
import Foundation

struct Rm: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove containers and their log files.",
        usage: "swiftlet rm [OPTIONS] CONTAINER ... | --all")

    @Argument(help: "Ids of containers, or beginnings of them.", completion: .containers)
    var containers: [String] = []

    @Flag(name: .shortAndLong, help: "Stop those that still run.")
    var force = false

    @Flag(name: .shortAndLong, help: "Keep the log files.")
    var keepLogs = false

    @Flag(name: .shortAndLong, help: "Remove all containers.")
    var all = false

    func validate() throws {
        if containers.isEmpty != all { throw ValidationError("expected either containers or --all") }
    }

    func run(_ session: Session) async throws {
        let ids = all ? try await session.containers().map(\.id) : try await session.containerIDs(containers)
        let (force, keepLogs) = (force, keepLogs)
        try await session.forEach(ids) { id in
            let status = try await session.containerStatus(id).status
            if status.state == .containerRunning {
                guard force else { throw Failure("container \"\(id)\" is running: stop it first, or use --force") }
                try await session.stopContainer(id, grace: 0)
            }
            try await session.removeContainer(id)
            // The runtime leaves log files to its client (the kubelet removes them for its own containers).
            if !keepLogs { try removeLogs(status.logPath) }
            try session.console.line(id)
        }
    }
}

/// Removes a container's log file and its rotations, "NAME.SUFFIX" beside it.
func removeLogs(_ path: String) throws(Failure) {
    guard path.hasPrefix("/") else { return }
    let file = URL(filePath: path)
    do {
        let directory = file.deletingLastPathComponent()
        guard FileManager.default.fileExists(atPath: directory.path) else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path)
        where name == file.lastPathComponent || name.hasPrefix(file.lastPathComponent + ".") {
            try FileManager.default.removeItem(at: directory.appending(path: name))
        }
    } catch {
        throw Failure("remove the log \"\(path)\": \(error.localizedDescription)")
    }
}
