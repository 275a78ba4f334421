package import OCI

/// What a container gets where nobody says anything else; the daemon's configuration may change each.
package struct RuntimeDefaults: Sendable, Equatable {
    /// With or without "CAP_".
    package var capabilities: [String] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ]
    /// Every limit of getrlimit(2), so that none is inherited from the daemon. The numbers are those that systemd
    /// gives a service (1,024 open files that a program may raise itself to 524,288), and no core files unless a
    /// program asks for them.
    package var resourceLimits: [RuntimeProcess.ResourceLimit] = [
        .init("RLIMIT_AS", soft: .max, hard: .max), .init("RLIMIT_CORE", soft: 0, hard: .max),
        .init("RLIMIT_CPU", soft: .max, hard: .max), .init("RLIMIT_DATA", soft: .max, hard: .max),
        .init("RLIMIT_FSIZE", soft: .max, hard: .max), .init("RLIMIT_LOCKS", soft: .max, hard: .max),
        .init("RLIMIT_MEMLOCK", soft: 8 << 20, hard: 8 << 20), .init("RLIMIT_MSGQUEUE", soft: 819_200, hard: 819_200),
        .init("RLIMIT_NICE", soft: 0, hard: 0), .init("RLIMIT_NOFILE", soft: 1024, hard: 524_288),
        .init("RLIMIT_NPROC", soft: .max, hard: .max), .init("RLIMIT_RSS", soft: .max, hard: .max),
        .init("RLIMIT_RTPRIO", soft: 0, hard: 0), .init("RLIMIT_RTTIME", soft: .max, hard: .max),
        .init("RLIMIT_SIGPENDING", soft: .max, hard: .max), .init("RLIMIT_STACK", soft: 8 << 20, hard: .max),
    ]
    package var searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// For clients that send no list; the kubelet always does. The node's thermal_throttle directories are added.
    package var maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ]
    package var readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
    /// Size of a pod's /dev/shm, which the daemon mounts.
    package var sharedMemoryBytes: UInt64 = 64 << 20
    /// Of supervisors and of pods' inits: they go last.
    package var podOOMScoreAdj: Int32 = -998
    /// Set in every pod with a network of its own, unless it sets them itself (ip(7), icmp(7)).
    package var networkSysctls = [
        "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647",
    ]
    /// Time for the steps of one launch.
    package var launchDeadlineMilliseconds: UInt32 = 60_000

    package init() {}
}
