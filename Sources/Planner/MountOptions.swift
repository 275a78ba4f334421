import LaunchProtocol
import Model
import OCI

/// The options of one mount, sorted by what carries them out.
struct MountOptions {
    var isBind = false
    var isRecursive = false
    /// `rro`: read-only for the mounts below it too.
    var isRecursivelyReadonly = false
    var attributes: MountAttributes = []
    var propagation: ClonePropagation = .private
    var makesSource = false
    /// Parameters of the file system itself.
    var parameters: [FilesystemOption] = []

    /// Reads options in order, later ones winning, as mount(8) does; what cannot be carried out is refused.
    init(_ mount: RuntimeMount) throws(Fault) {
        for option in mount.options { try read(option, mount) }
        guard !isRecursivelyReadonly || attributes.isEmpty else {
            throw .unimplemented(
                "mount \(NodePath.quoted(mount.destination)): \"rro\" together with other attributes is not supported")
        }
        guard parameters.isEmpty || !isBind else {
            let name = String(decoding: parameters[0].key, as: UTF8.self)
            throw .invalid(
                "mount \(NodePath.quoted(mount.destination)): a bind mount has no option \(NodePath.quoted(name))")
        }
    }

    private mutating func read(_ option: String, _ mount: RuntimeMount) throws(Fault) {
        switch option {
        case "bind": isBind = true
        case "rbind": (isBind, isRecursive) = (true, true)
        case "ro": attributes.insert(.readonly)
        case "rw": attributes.remove(.readonly)
        case "rro": isRecursivelyReadonly = true
        case "nosuid": attributes.insert(.nosuid)
        case "suid": attributes.remove(.nosuid)
        case "nodev": attributes.insert(.nodev)
        case "dev": attributes.remove(.nodev)
        case "noexec": attributes.insert(.noexec)
        case "exec": attributes.remove(.noexec)
        case "noatime": setAccessTime(.noatime)
        case "strictatime": setAccessTime(.strictatime)
        // The kernel's default.
        case "relatime", "atime", "nostrictatime": setAccessTime([])
        case "private", "rprivate": propagation = .private
        case "slave", "rslave": propagation = .slave
        case "shared", "rshared": propagation = .shared
        case RuntimeMount.makeSourceOption: makesSource = true
        case "defaults", "": break
        case "remount", "unbindable", "runbindable", "idmap", "ridmap", "tmpcopyup", "sync", "dirsync", "mand",
            "nodiratime",
            "nosymfollow", "iversion", "lazytime", "rnosuid", "rnodev", "rnoexec", "rnoatime", "rrelatime":
            throw .unimplemented("mount \(NodePath.quoted(mount.destination)): option \"\(option)\" is not supported")
        default: try readParameter(option, mount)
        }
    }

    private mutating func setAccessTime(_ mode: MountAttributes) {
        attributes.subtract([.noatime, .strictatime])
        attributes.formUnion(mode)
    }

    private mutating func readParameter(_ option: String, _ mount: RuntimeMount) throws(Fault) {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let key = Array(parts[0].utf8)
        let value = parts.count > 1 ? Array(parts[1].utf8) : nil
        // fsconfig(2) takes 255 bytes of each.
        guard (1...255).contains(key.count), value?.count ?? 0 <= 255, !option.utf8.contains(0) else {
            throw .invalid(
                "mount \(NodePath.quoted(mount.destination)): option \(NodePath.quoted(option)) is too long or has NUL"
            )
        }
        parameters.append(FilesystemOption(key: key, value: value))
    }
}
