import CLICore
import Linux

/// A part of a volume that containers write: what they put in the way must not lead the mount out of the volume
/// (CVE-2017-1002101, CVE-2021-25741).
///
/// The part is opened once, with a lookup that the kernel ends at the volume's root, and what was opened is mounted in the
/// pod's own directory, where no container can change anything. The runtime is told that place.
struct SubPath: Sendable {
    /// The volume's directory on the node.
    let root: String
    /// Relative, without "..".
    let path: String

    /// Opens the part, making directories that are missing with the mode of the volume, and mounts it on `name` of a directory.
    func mount(on name: String, in directory: String) throws(Failure) {
        do throws(Errno) {
            let root = try OwnedFD.open(Linux.Path(root), [.path, .directory])
            let part = try open(in: root)
            let place = Linux.Path("\(directory)/\(name)")
            let parent = try OwnedFD.open(Linux.Path(directory), [.readOnly, .directory, .noFollow])
            // An earlier attempt's may be there, of another kind perhaps.
            do throws(Errno) { try PodDirectory.unmount(place) } catch Errno.noEntry {}
            try parent.removeTree(Linux.Path(name))
            if try part.status().kind == .directory {
                try parent.makeDirectory(Linux.Path(name), mode: 0o700)
            } else {
                _ = try parent.open(Linux.Path(name), [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            }
            let target = try parent.open(Linux.Path(name), [.path, .noFollow])
            try MountHandle.clone(of: part, recursive: false).attach(to: target)
        } catch {
            let why = error == .crossDevice ? "it leads out of the volume" : "\(error)"
            throw Failure("open the subPath \"\(path)\" of \"\(root)\": \(why)")
        }
    }

    private static let lookup: ResolveFlags = [.beneath, .noMagicLinks]

    private func open(in root: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        do throws(Errno) { return try root.open(Linux.Path(path), [.path], resolve: Self.lookup) } catch Errno.noEntry {
        }
        let mode = try root.status().mode
        var steps = Linux.Path(".")
        for step in path.split(separator: "/") {
            let parent = try root.open(steps, [.path, .directory], resolve: Self.lookup)
            let name = Linux.Path(String(step))
            do throws(Errno) {
                try parent.makeDirectory(name, mode: 0o700)
                // The mask of the process is not the volume's.
                try parent.open(name, [.readOnly, .directory, .noFollow]).changeMode(mode)
            } catch Errno.alreadyExists {}
            steps = steps.appending(name)
        }
        return try root.open(Linux.Path(path), [.path], resolve: Self.lookup)
    }
}
