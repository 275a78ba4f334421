import ArgumentParser
import CLICore
import CRIProto
import Linux
import SwiftProtobuf

struct Copy: RuntimeCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy files and directories out of or into a running container.",
        usage: """
            swiftlet cp CONTAINER:PATH LOCAL-PATH
            swiftlet cp LOCAL-PATH CONTAINER:PATH
            """,
        discussion: """
            The container needs no program for it: its files are reached through this machine, which needs root. A \
            directory is copied into a directory that is there, and becomes one that is not; DIRECTORY/. means what is in it. \
            A local path of - is standard input or output, for one file. What is copied in belongs to the container's user. \
            Links of a container that lead out of what is copied are left out.
            """)

    @Argument(help: "What to copy.", completion: .file())
    var source: String

    @Argument(help: "Where to.", completion: .file())
    var target: String

    func run(_ session: Session) async throws {
        let console = session.console
        let note = { (text: String) in bestEffort { try console.err("swiftlet: \(text)\n") } }
        switch (try CopyPlace(source), try CopyPlace(target)) {
        case (.container(let name, let path), let place):
            guard case .container = place else {
                let container = try await openRoot(name, session)
                return try copyOut(container, CopyPath(path), place, console, note)
            }
            throw Failure.usage("copy between two containers: take the way over a local path")
        case (let place, .container(let name, let path)):
            let container = try await openRoot(name, session)
            try copyIn(place, container, CopyPath(path), note)
        default: throw Failure.usage("expected one of the two as CONTAINER:PATH")
        }
    }

    private func openRoot(_ prefix: String, _ session: Session) async throws -> ContainerRoot {
        let id = try await session.containerID(prefix)
        let pid = try await session.processID(of: id)
        let root = try ContainerRoot.open(container: id, pid: pid)
        // The process whose files were opened was the container's if it still is.
        guard try await session.processID(of: id) == pid else {
            throw Failure("container \"\(shortID(id))\" has ended")
        }
        return root
    }

    // MARK: - Out

    private func copyOut(
        _ container: borrowing ContainerRoot, _ from: CopyPath, _ place: CopyPlace, _ console: Console,
        _ note: @escaping (String) -> Void
    ) throws {
        let source = try named(from.path) { () throws(Errno) in try container.root.resolve(Path(absolute(from.path))) }
        let kind = try named(from.path) { () throws(Errno) in try source.status() }.kind
        guard case .local(let text) = place else { return try show(source, kind, from.path, console) }
        let local = try CopyTarget(local: CopyPath(text))
        try local.receive(source, kind, from, by: TreeCopy(note: note))
    }

    private func show(
        _ source: borrowing OwnedFD, _ kind: FileStatus.Kind, _ path: String, _ console: Console
    ) throws {
        guard kind == .regular else { throw Failure("copy \"\(path)\" to standard output: not a file") }
        let file = try named(path) { () throws(Errno) in try source.reopen([.readOnly, .nonBlocking]) }
        while true {
            let bytes = try named(path) { () throws(Errno) in try file.read(max: 1 << 18) }
            if bytes.isEmpty { return }
            try console.writeOut(bytes)
        }
    }

    // MARK: - In

    private func copyIn(
        _ place: CopyPlace, _ container: borrowing ContainerRoot, _ to: CopyPath, _ note: @escaping (String) -> Void
    ) throws {
        let target = try CopyTarget(container: container, to)
        let copy = TreeCopy(owner: (container.uid, container.gid), trustsLinks: true, note: note)
        guard case .local(let text) = place else {
            return try target.receiveInput(owner: (container.uid, container.gid))
        }
        let from = CopyPath(text)
        let source = try named(text) { () throws(Errno) in try OwnedFD.open(Path(from.path), .path) }
        let kind = try named(text) { () throws(Errno) in try source.status() }.kind
        try target.receive(source, kind, from, by: copy)
    }

    private func named<T: ~Copyable>(_ path: String, _ body: () throws(Errno) -> T) throws(Failure) -> T {
        do throws(Errno) { return try body() } catch { throw Failure("open \"\(path)\": \(error)") }
    }
}

/// A container's path from its root.
func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "/" + path }
