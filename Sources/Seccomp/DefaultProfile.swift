import OCI

extension SeccompProfile {
    /// The profile that the CRI calls RuntimeDefault: what is not named gets EPERM, and capabilities open the calls
    /// they are for.
    ///
    /// By behaviour it is containerd's of version 2.4.
    package static let runtimeDefault = SeccompProfile(
        defaultAction: .errno(1), architectures: SeccompArchitecture.nativeFamily.map(\.rawValue), rules: defaultRules)

    private static let defaultRules: [Rule] =
        [Rule(DefaultSyscalls.allowed, .allow)] + sockets + personalities + byKernel + byArchitecture + byCapability
        + namespaces

    /// Every address family but AF_ALG (CVE-2026-31431 and before) and AF_VSOCK, which reaches the hypervisor.
    ///
    /// Three ranges, because libseccomp joins conditions on one argument wrongly or not at all.
    private static let sockets: [Rule] = [
        comparing("socket", .less, 38), comparing("socket", .equal, 39), comparing("socket", .greater, 40),
    ]

    /// Reading it, PER_LINUX, PER_LINUX32, and the two with UNAME26 (personality(2)).
    private static let personalities: [Rule] = [0, 0x8, 0x20000, 0x20008, 0xffff_ffff].map {
        comparing("personality", .equal, $0)
    }

    /// Since 4.8 a traced process cannot slip past its filter (ptrace(2), PTRACE_O_SUSPEND_SECCOMP and the order of
    /// checks).
    private static let byKernel: [Rule] = {
        var since = Condition()
        since.kernel = KernelVersion(4, 8)
        return [Rule(["process_vm_readv", "process_vm_writev", "ptrace"], .allow, includes: since)]
    }()

    private static let byArchitecture: [Rule] = [
        (["amd64"], "arch_prctl modify_ldt"),
        (["arm64"], "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
        (["riscv64"], "riscv_flush_icache riscv_hwprobe"),
        (["s390x"], "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"),
        (["ppc64le"], "sync_file_range2 swapcontext"),
    ].map { architectures, names in
        var only = Condition()
        only.architectures = architectures
        return Rule(words(names), .allow, includes: only)
    }

    private static let byCapability: [Rule] = [
        ("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
        (
            "CAP_SYS_ADMIN",
            """
            bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr
            move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount
            umount2 unshare
            """
        ),
        ("CAP_SYS_BOOT", "reboot"),
        ("CAP_SYS_CHROOT", "chroot"),
        ("CAP_SYS_MODULE", "delete_module init_module finit_module"),
        ("CAP_SYS_PACCT", "acct"),
        ("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
        ("CAP_SYS_RAWIO", "iopl ioperm"),
        ("CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"),
        ("CAP_SYS_TTY_CONFIG", "vhangup"),
        ("CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
        ("CAP_SYSLOG", "syslog"),
        ("CAP_BPF", "bpf"),
        ("CAP_PERFMON", "perf_event_open"),
    ].map { capability, names in Rule(words(names), .allow, includes: Condition(capabilities: [capability])) }

    /// Without CAP_SYS_ADMIN: clone(2) without a new namespace; clone3(2), whose flags a filter cannot see, as if it
    /// did not exist, so that libraries fall back to clone.
    private static let namespaces: [Rule] = {
        let withoutAdmin = Condition(capabilities: ["CAP_SYS_ADMIN"])
        // NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
        let newNamespaces: UInt64 = 0x7e02_0000
        let masked = RuntimeSeccomp.Argument(
            index: 0, value: newNamespaces, valueTwo: 0, op: SeccompOperator.maskedEqual.rawValue)
        return [
            Rule(["clone"], .allow, arguments: [masked], excludes: withoutAdmin),
            Rule(["clone3"], .errno(38), excludes: withoutAdmin),
        ]
    }()

    private static func comparing(_ name: String, _ how: SeccompOperator, _ value: UInt64) -> Rule {
        Rule([name], .allow, arguments: [RuntimeSeccomp.Argument(index: 0, value: value, op: how.rawValue)])
    }

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
