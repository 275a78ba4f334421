#if arch(x86_64)
    import Glibc
    import OCI
    import Testing

    @testable import Seccomp

    /// RuntimeDefault on the running kernel. Every call is made without the filter too: a call that is said to be
    /// refused has to end in another way there, and a call that is said to pass has to end in the same way.
    @Suite(.enabled(if: geteuid() == 0, "loading a filter without no_new_privs needs root"))
    struct RuntimeDefaultKernelTests {
        static let defaultCapabilities: Set<String> = [
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
        ]

        typealias Call = Probe.Call

        /// Refused with EPERM. Arguments are such that without the filter the kernel complains about them, or changes
        /// nothing.
        static let refused: [Call] = [
            Call("af-alg", 41, ["38", "5", "0"]), Call("af-vsock", 41, ["40", "1", "0"]),
            Call("add_key", 248), Call("request_key", 249), Call("keyctl", 250, ["0xffff"]),
            Call("io_uring_setup", 425, ["1"]), Call("io_uring_enter", 426, ["-1"]),
            Call("io_uring_register", 427, ["-1"]),
            Call("userfaultfd", 323, ["0xffff"]), Call("bpf", 321, ["0xffff"]), Call("perf_event_open", 298, ["0"]),
            Call("mount", 165), Call("umount2", 166), Call("pivot_root", 155),
            Call("unshare-user", 272, ["0x10000000"]),
            Call("unshare-ns", 272, ["0x20000"]), Call("setns", 308, ["-1"]), Call("clone-newns", 56, ["0x20200"]),
            Call("fsopen", 430), Call("fsconfig", 431, ["-1"]), Call("fsmount", 432, ["-1"]),
            Call("fspick", 433, ["-1"]),
            Call("open_tree", 428, ["-1"]), Call("move_mount", 429, ["-1", "0", "-1"]),
            Call("mount_setattr", 442, ["-1"]), Call("open_by_handle_at", 304, ["-1"]),
            Call("fanotify_init", 300, ["0xffffff"]),
            Call("quotactl", 179, ["0xffffffff"]), Call("quotactl_fd", 443, ["-1", "0xffffffff"]),
            Call("syslog", 103, ["10"]),
            Call("sethostname", 170, ["0", "-1"]), Call("setdomainname", 171, ["0", "-1"]),
            Call("settimeofday", 164), Call("clock_settime", 227, ["0"]), Call("init_module", 175),
            Call("finit_module", 313, ["-1"]), Call("delete_module", 176, ["text:swiftlet-no-such-module", "0x800"]),
            Call("kexec_load", 246, ["0", "0", "0", "0xff"]), Call("reboot", 169, ["0", "0", "0"]),
            Call("swapon", 167), Call("swapoff", 168), Call("acct", 163, ["text:/no/such/file"]),
            Call("iopl", 172, ["0"]),
            Call("ioperm", 173, ["0", "1", "0"]), Call("kcmp", 312, ["0", "0", "9"]),
            Call("process_madvise", 440, ["-1"]),
            Call("pidfd_getfd", 438, ["-1"]), Call("move_pages", 279, ["0", "1", "0", "0", "0", "0xffff"]),
            Call("mbind", 237, ["1", "0", "0xff"]), Call("set_mempolicy", 238, ["0xff"]),
            Call("get_mempolicy", 239, ["0", "0", "0", "0", "0xff"]),
            Call("migrate_pages", 256, ["-1", "0", "0", "0"]), Call("personality-other", 135, ["0x0040000"]),
            Call("int80-mount", 21, abi: "32"), Call("int80-unshare", 310, ["0x20000000"], abi: "32"),
            Call("int80-setns", 346, ["-1"], abi: "32"), Call("int80-bpf", 357, ["0xffff"], abi: "32"),
            Call("int80-keyctl", 288, ["0xffff"], abi: "32"),
        ]

        /// As if the kernel did not know them.
        static let unknown: [Call] = [
            Call("clone3", 435), Call("open_tree_attr", 467, ["-1"]), Call("file_getattr", 468, ["-1"]),
        ]

        /// Reach the kernel.
        static let passed: [Call] = [
            Call("getpid", 39), Call("openat", 257, ["-100", "text:/dev/null", "0"]),
            Call("socket-inet", 41, ["2", "2", "0"]),
            Call("socket-netlink", 41, ["16", "3", "0"]), Call("socket-xdp", 41, ["44", "3", "0"]),
            Call("ptrace", 101, ["0xffff", "-1"]), Call("process_vm_readv", 310, ["-1"]),
            Call("process_vm_writev", 311, ["-1"]),
            Call("personality-0", 135, ["0"]), Call("personality-query", 135, ["0xffffffff"]),
            Call("arch_prctl", 158, ["0xffff"]),
            Call("modify_ldt", 154, ["0xff"]), Call("name_to_handle_at", 303, ["-1"]), Call("chroot", 161),
            Call("clone-plain", 56, ["0x800000200"]), Call("capget", 125), Call("prctl", 157, ["0xffff"]),
            Call("seccomp", 317, ["0xff"]),
            Call("landlock", 444, ["0", "0", "1"]), Call("memfd_create", 319, ["text:x", "0"]),
            Call("pidfd_open", 434, ["-1"]),
            Call("close_range", 436, ["100", "50"]), Call("faccessat2", 439, ["-1"]), Call("futex_waitv", 449),
            Call("fchmodat2", 452, ["-1"]), Call("cachestat", 451, ["-1"]), Call("mseal", 462, ["1"]),
            Call("statmount", 457),
            Call("lsm_list_modules", 461), Call("listxattrat", 465, ["-1"]),
            Call("int80-getpid", 20, abi: "32"), Call("int80-socketcall", 102, ["0"], abi: "32"),
        ]

        @Test("RuntimeDefault refuses what would reach beyond the container")
        func refuses() throws {
            let filter = try Self.filter(Self.defaultCapabilities)
            let bare = try Probe.run(Self.refused, filter: nil)
            let filtered = try Probe.run(Self.refused, filter: filter.program)
            for call in Self.refused {
                #expect(bare[call.name] != "1", "control of \(call): the call is refused without a filter too")
                #expect(filtered[call.name] == "1", "\(call)")
            }
            #expect(filtered.count == Self.refused.count)
        }

        @Test("RuntimeDefault answers ENOSYS to clone3 and to calls newer than itself")
        func hides() throws {
            let bare = try Probe.run(Self.unknown, filter: nil)
            let filtered = try Probe.run(Self.unknown, filter: try Self.filter(Self.defaultCapabilities).program)
            for call in Self.unknown {
                #expect(filtered[call.name] == "38", "\(call)")
                #expect(call.name != "clone3" || bare[call.name] == "22", "control of \(call)")
            }
        }

        @Test("RuntimeDefault lets ordinary programs be")
        func passes() throws {
            let bare = try Probe.run(Self.passed, filter: nil)
            let filtered = try Probe.run(Self.passed, filter: try Self.filter(Self.defaultCapabilities).program)
            for call in Self.passed { #expect(filtered[call.name] == bare[call.name], "\(call)") }
            #expect(bare["getpid"] == "ok" && bare["int80-getpid"] == "ok" && bare["socket-inet"] == "ok")
        }

        /// Calls that a capability opens, by the capability.
        static let opened: [(capability: String, call: Call)] = [
            ("CAP_SYS_ADMIN", Call("mount", 165)), ("CAP_SYS_ADMIN", Call("unshare", 272, ["0x20000"])),
            ("CAP_SYS_ADMIN", Call("clone3", 435)), ("CAP_SYS_ADMIN", Call("setns", 308, ["-1"])),
            ("CAP_SYS_ADMIN", Call("bpf", 321, ["0xffff"])), ("CAP_BPF", Call("bpf", 321, ["0xffff"])),
            ("CAP_PERFMON", Call("perf_event_open", 298)),
            ("CAP_DAC_READ_SEARCH", Call("open_by_handle_at", 304, ["-1"])),
            ("CAP_SYS_BOOT", Call("reboot", 169)), ("CAP_SYS_MODULE", Call("finit_module", 313, ["-1"])),
            ("CAP_SYS_PACCT", Call("acct", 163, ["text:/no/such/file"])),
            ("CAP_SYS_PTRACE", Call("pidfd_getfd", 438, ["-1"])),
            ("CAP_SYS_RAWIO", Call("iopl", 172, ["0"])), ("CAP_SYS_TIME", Call("clock_settime", 227)),
            ("CAP_SYS_NICE", Call("set_mempolicy", 238, ["0xff"])), ("CAP_SYSLOG", Call("syslog", 103, ["10"])),
        ]

        @Test("a capability opens the calls it is for, and only with it", arguments: opened)
        func opens(capability: String, call: Call) throws {
            let bare = try Probe.run([call], filter: nil)
            let with = try Probe.run(
                [call], filter: try Self.filter(Self.defaultCapabilities.union([capability])).program)
            let without = try Probe.run([call], filter: try Self.filter(Self.defaultCapabilities).program)
            #expect(with[call.name] == bare[call.name])
            #expect(without[call.name] != bare[call.name])
        }

        static func filter(_ capabilities: Set<String>) throws -> SeccompFilter {
            try SeccompCompiler().filter(
                for: SeccompProfile.runtimeDefault.resolved(capabilities: capabilities, kernel: KernelVersion(6, 1)))
        }
    }
#endif
