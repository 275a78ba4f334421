/// Text as the kernel sees it: bytes without a terminating NUL, and without a NUL inside.
package typealias Bytes = [UInt8]

/// Number of a place where a launch keeps a detached mount between the step that makes it and the step that attaches it.
package typealias MountRegister = UInt16

/// Number of a file descriptor that came with the request, counted from 0 after the plan itself.
package typealias DescriptorSlot = UInt8

/// One kernel operation, or one tight group, of a launch.
///
/// The planner decides, the launcher obeys: no step says anything about Kubernetes. A step has its number on the wire
/// (`StepCoder`), which is never given to another meaning. Paths named `target` lie in the new root: they are resolved by
/// openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS below the mount in the root register. Paths named `source` or
/// `hostPath` are the node's, and only stage 1 resolves them.
package enum Step: Sendable, Equatable {
    // MARK: Stage 1: in the node's mount namespace and the initial user namespace

    /// Writes `/proc/self/oom_score_adj` (proc_pid_oom_score_adj(5)) through the supervisor's own procfs. Below the value
    /// that this process may set, EACCES: the launcher then fails unless `clamp` is set (then it keeps the lowest allowed).
    case setOOMScoreAdj(value: Int32, clamp: Bool)
    /// Nice 0, SCHED_OTHER, default I/O priority (setpriority(2), sched_setscheduler(2), ioprio_set(2)).
    case resetScheduling
    /// prlimit(2). `clamp` lowers the hard limit to what this process may set instead of failing with EPERM.
    case setResourceLimit(resource: UInt32, soft: UInt64, hard: UInt64, clamp: Bool)
    /// An overlay as a detached mount: `lowers` topmost first, `upper` and `work` nil for a read-only view; all relative to
    /// `directory`, which is absolute. `options` are further fsconfig(2) strings.
    case makeOverlay(
        register: MountRegister, directory: Bytes, lowers: [Bytes], upper: Bytes?, work: Bytes?,
        options: [FilesystemOption], attributes: MountAttributes)
    /// open_tree(2) clone of a node path, then mount_setattr(2): attributes first, then propagation; every result is checked.
    case cloneTree(
        register: MountRegister, source: Bytes, expect: SourceKind, recursive: Bool,
        attributes: MountAttributes, recursiveAttributes: Bool, propagation: ClonePropagation)
    /// A new instance of a file system as a detached mount: fsopen(2), fsconfig(2), fsmount(2). Stage 1 for tmpfs and sysfs;
    /// stage 2 for proc, mqueue, devpts and cgroup2 (they show the namespaces of the process that makes them).
    case makeFilesystem(
        register: MountRegister, type: Bytes, options: [FilesystemOption], attributes: MountAttributes, stage: Stage)

    /// unshare(CLONE_NEWNS [| CLONE_NEWCGROUP]), then the whole tree made rslave. From here on stage 2.
    case enterMountNamespace(newCgroupNamespace: Bool)

    // MARK: Stage 2: in the container's mount namespace

    /// Attaches the root overlay to the empty directory `anchor` of the node and makes it the root for every `target`.
    case attachRoot(register: MountRegister, anchor: Bytes)
    /// move_mount(2) of a register onto `target`, made first as `create` says (parents mode 0755) where it is missing.
    case attach(register: MountRegister, target: Bytes, create: TargetKind)
    /// mkdir(2) with parents (0755); an existing directory is kept as it is, and its owner too.
    case makeDirectory(target: Bytes, mode: UInt32, uid: UInt32, gid: UInt32)
    /// symlink(2); an existing entry of that name is an error unless it is the same link.
    case makeSymlink(target: Bytes, text: Bytes)
    /// mknod(2) of a device and chown/chmod to exactly these values; only in a file system made by this launch.
    case makeDevice(
        target: Bytes, kind: DeviceKind, major: UInt32, minor: UInt32, mode: UInt32, uid: UInt32, gid: UInt32)
    /// Covers a path: a file by the node's /dev/null (checked to be character device 1:3), a directory by an empty read-only
    /// tmpfs. A missing path is skipped.
    case mask(target: Bytes)
    /// Makes what is mounted at or below a path read-only by a clone attached over itself. A missing path is skipped.
    case makeReadonly(target: Bytes)
    /// mount_setattr(2): the root itself becomes read-only; mounts on it keep their state.
    case makeRootReadonly
    /// mount_setattr(2) of the whole new root.
    case setRootPropagation(RootPropagation)
    /// pivot_root(".", ".") and umount2(MNT_DETACH) of the old root; target paths are plain paths afterwards.
    case pivotRoot
    /// Opens a new terminal in the container's devpts (TIOCGPTPEER), makes it the controlling terminal and fds 0-2, and sends
    /// the other end to the supervisor. With `console`, the terminal is also bound on /dev/console.
    case openTerminal(console: Bool, rows: UInt16, columns: UInt16)

    // MARK: Joining a running container (exec)

    /// setns(2) with the container's pidfd: the namespaces of `flags` (CLONE_NEW* bits) in one call.
    case joinContainer(flags: UInt64)

    // MARK: Namespaces of the pod: run by the supervisor itself at its birth

    /// unshare(2) of network, IPC and UTS namespaces (CLONE_NEW* bits).
    case unshareNamespaces(flags: UInt64)
    /// Binds this process's namespace file (`/proc/self/ns/<name>`) on the existing file `path`, private.
    case pinNamespace(name: Bytes, path: Bytes)
    /// sethostname(2).
    case setHostname(Bytes)
    /// SIOCSIFFLAGS on `lo`: up.
    case bringLoopbackUp
    /// Writes a value to `sys/<path>` of the supervisor's private procfs, resolved beneath it without links.
    case writeSysctl(path: Bytes, value: Bytes)

    // MARK: The process itself, in this order at the end of a plan

    /// umask(2).
    case setUmask(UInt32)
    /// keyctl(KEYCTL_JOIN_SESSION_KEYRING) with a new anonymous keyring; ENOSYS is ignored.
    case newSessionKeyring
    /// prctl(PR_CAPBSET_DROP) of every capability that is not in the mask.
    case setBoundingCapabilities(UInt64)
    /// setgroups(2), setresgid(2), setresuid(2), with PR_SET_KEEPCAPS around so that `setCapabilities` can follow.
    case setUser(uid: UInt32, gid: UInt32, groups: [UInt32])
    /// capset(2), then prctl(PR_CAP_AMBIENT).
    case setCapabilities(effective: UInt64, permitted: UInt64, inheritable: UInt64, ambient: UInt64)
    /// prctl(PR_SET_NO_NEW_PRIVS).
    case setNoNewPrivileges
    /// chdir(2), then getcwd(2) must start with "/" (CVE-2024-21626).
    case changeDirectory(Bytes)
    /// seccomp(SECCOMP_SET_MODE_FILTER) with classic BPF: 8 bytes an instruction, little-endian, at most 4,096 instructions.
    case installSeccompFilter(program: Bytes, flags: UInt32)
    /// close_range(2) with CLOSE_RANGE_CLOEXEC from 3, all signals default and unblocked, then execve(2). A first argument
    /// without "/" is looked up in `searchPath`, in order; EACCES is reported only when no entry could be executed.
    case execute(arguments: [Bytes], environment: [Bytes], searchPath: [Bytes])
    /// Executes the sealed launcher again, as the pod's init (`execveat`, no descriptor but 0-2 kept).
    case executePodInit

    /// Reports the process id and waits for `go` or `abort` from the daemon (by way of the supervisor).
    /// An exec in a PID namespace is not held: EOPNOTSUPP.
    case hold(HoldPoint)
}

/// Which of the two mount namespaces a step runs in.
package enum Stage: UInt8, Sendable, Equatable { case one = 1, two = 2 }

/// A parameter of fsconfig(2): a flag where `value` is nil, else a string of at most 255 bytes.
package struct FilesystemOption: Sendable, Equatable {
    package var key: Bytes
    package var value: Bytes?

    package init(key: Bytes, value: Bytes? = nil) {
        self.key = key
        self.value = value
    }
}

/// MOUNT_ATTR_* bits of mount_setattr(2), by their kernel values.
package struct MountAttributes: OptionSet, Sendable, Equatable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readonly = MountAttributes(rawValue: 0x1)
    package static let nosuid = MountAttributes(rawValue: 0x2)
    package static let nodev = MountAttributes(rawValue: 0x4)
    package static let noexec = MountAttributes(rawValue: 0x8)
    package static let noatime = MountAttributes(rawValue: 0x10)
    package static let strictatime = MountAttributes(rawValue: 0x20)
}

/// What a node path must be, or become.
package enum SourceKind: UInt8, Sendable, Equatable {
    case any = 0
    case directory = 1
    /// Anything that is not a directory.
    case file = 2
    /// Made as a directory (0755, with parents) where nothing is there; what is there may be anything, a file too.
    case directoryMadeIfMissing = 3
    case device = 4
}

/// What happens to the peer group of a cloned tree (mount_namespaces(7)).
package enum ClonePropagation: UInt8, Sendable, Equatable {
    case `private` = 0
    case slave = 1
    /// Left in the node's peer group, so that mounts made inside reach the node.
    case shared = 2
}

package enum RootPropagation: UInt8, Sendable, Equatable { case `private` = 0, slave = 1, shared = 2 }

/// What `attach` makes where its target is missing.
package enum TargetKind: UInt8, Sendable, Equatable {
    case mustExist = 0
    case directory = 1
    case file = 2
    /// A directory or a file, as the mount's own root is one or the other.
    case likeSource = 3
}

package enum DeviceKind: UInt8, Sendable, Equatable { case character = 0, block = 1, fifo = 2 }

package enum HoldPoint: UInt8, Sendable, Equatable {
    case afterNamespaces = 0
    case beforePivot = 1
    case beforeExecute = 2
}
