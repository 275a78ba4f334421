import Foundation

/// A small root file system made of one static busybox.
package enum BusyboxRoot {
    /// Debian's busybox-static.
    package static let source = "/bin/busybox"
    /// Programs that are there as links in `/bin`.
    package static let applets = [
        "sh", "cat", "echo", "true", "false", "sleep", "ls", "id", "env", "pwd", "stat", "readlink", "dd", "touch",
        "mkdir",
        "rm", "ln", "mount", "umount", "kill", "printf", "test", "head", "tail", "wc", "yes", "seq", "grep", "cut",
        "tr",
        "hostname", "nc", "ps", "chmod", "chown", "mkfifo", "mknod", "unshare", "usleep", "od", "stty", "tty", "sort",
        "date", "uname", "su", "setsid", "nproc", "df", "getopt", "ip",
    ]

    package static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: source) }

    /// Fills an empty directory: programs, users `root` and `nobody`, the directories that mounts need.
    package static func make(at path: String) throws {
        let files = FileManager.default
        for directory in ["bin", "etc", "tmp", "root", "home", "var", "usr"] {
            try files.createDirectory(atPath: "\(path)/\(directory)", withIntermediateDirectories: true)
        }
        try files.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: "\(path)/tmp")
        try files.copyItem(atPath: source, toPath: "\(path)/bin/busybox")
        for applet in applets {
            try files.createSymbolicLink(atPath: "\(path)/bin/\(applet)", withDestinationPath: "busybox")
        }
        try "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n".write(
            toFile: "\(path)/etc/passwd", atomically: false, encoding: .utf8)
        try "root:x:0:\nnobody:x:65534:\n".write(toFile: "\(path)/etc/group", atomically: false, encoding: .utf8)
    }
}
