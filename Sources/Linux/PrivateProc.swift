import CLinux

/// A procfs of our own that is attached nowhere: nobody can mount over its files (CVE-2025-52881, CVE-2019-16884).
package struct PrivateProc: ~Copyable, Sendable {
    package let fd: OwnedFD

    /// Shows the PID namespace of the caller.
    package init() throws(Errno) {
        let mount = try FilesystemContext(type: "proc").mount([.noSetuid, .noDevices, .noExecute])
        guard try mount.fd.filesystemMagic() == .proc else { throw .crossDevice }
        fd = try mount.fd.open(".", [.readOnly, .directory])
    }

    private init(_ fd: consuming OwnedFD) { self.fd = fd }

    package func duplicate() throws(Errno) -> PrivateProc { PrivateProc(try fd.duplicate()) }

    /// Writes one value in one write(2), as the kernel's files want it.
    package func write(_ path: Path, _ value: [UInt8]) throws(Errno) {
        let file = try open(path, .writeOnly)
        if try file.write(value) != value.count { throw .inputOutput }
    }

    /// Writes a file of /proc/sys in one write(2); nothing outside of that directory can be named.
    package func writeSysctl(_ path: Path, _ value: [UInt8]) throws(Errno) {
        let sys = try open("sys", [.path, .directory])
        let file = try sys.open(path, .writeOnly, resolve: [.beneath, .noSymlinks, .noCrossDevice])
        if try file.write(value) != value.count { throw .inputOutput }
    }

    /// At most `max` bytes of a file.
    package func read(_ path: Path, max: Int) throws(Errno) -> [UInt8] {
        try open(path, .readOnly).readToEnd(max: max)
    }

    /// Opens a file, following `self` but no magic link, and never leaving this file system.
    package func open(_ path: Path, _ flags: OpenFlags) throws(Errno) -> OwnedFD {
        try fd.open(path, flags, resolve: [.beneath, .noMagicLinks, .noCrossDevice])
    }

    /// The calling process's namespace file `ns/<name>`: a handle that can be cloned as a mount.
    package func namespace(_ name: Path) throws(Errno) -> OwnedFD {
        let directory = try open("self/ns", [.path, .directory])
        // Opened, not O_PATH: older kernels take no other descriptor in fsconfig(2).
        let place = try directory.open(name, .readOnly)
        guard try place.filesystemMagic() == .nsfs else { throw .crossDevice }
        return place
    }

    /// Whether a process that has not been waited for has ever executed a program: PF_FORKNOEXEC (0x40) of field 9 of
    /// `/proc/<pid>/stat`, which is there for zombies too. The kernel's own word, whatever the process says.
    package func hasExecuted(pid: Int32) throws(Errno) -> Bool {
        guard pid > 0 else { throw .noProcess }
        let text = try read(Path(decimal(UInt64(pid)) + Path("/stat").bytes), max: 4096)
        // The second field is a name in parentheses that may hold anything.
        guard let close = text.lastIndex(of: UInt8(ascii: ")")) else { throw .inputOutput }
        let fields = text[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 6, let flags = number(fields[6]) else { throw .inputOutput }
        return flags & 0x40 == 0
    }
}
