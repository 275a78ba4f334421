import CLICore
import Foundation
import Linux

/// What the type of a hostPath volume asks of the node.
enum HostPath {
    static func prepare(_ path: String, type: String) throws(Failure) {
        let manager = FileManager.default
        let kind = status(path)?.kind
        do {
            if type == "DirectoryOrCreate", kind == nil {
                try manager.createDirectory(
                    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
                return
            }
            if type == "FileOrCreate", kind == nil {
                _ = try OwnedFD.open(Linux.Path(path), [.writeOnly, .create, .exclusive], mode: 0o644)
                return
            }
        } catch {
            throw Failure("make \"\(path)\": \(error)")
        }
        let wanted: FileStatus.Kind? =
            switch type {
            case "Directory", "DirectoryOrCreate": .directory
            case "File", "FileOrCreate": .regular
            case "Socket": .socket
            case "CharDevice": .characterDevice
            case "BlockDevice": .blockDevice
            default: nil
            }
        if let wanted, kind != wanted { throw Failure("\"\(path)\" is not of the type \(type)") }
    }

    private static func status(_ path: String) -> FileStatus? {
        var status: FileStatus?
        bestEffort { status = try OwnedFD.open(Linux.Path(path), [.path]).status() }
        return status
    }
}
