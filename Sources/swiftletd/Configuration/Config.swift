/// The daemon's configuration: a TOML file, every key with a default, unknown keys errors. `--print-config` shows the result.
struct Config: Codable, Equatable, Sendable {
    /// What outlives a reboot: images, writable layers, records, exit statuses.
    var root = "/var/lib/swiftlet"
    /// What does not: sockets, pins of namespaces, shared memory. On a tmpfs.
    var state = "/run/swiftlet"
    /// Unix socket of the CRI.
    var socket = "/run/swiftlet/swiftlet.sock"
    /// Group that may connect (by number); the socket is root's with mode 0660.
    var socketGroup: UInt32 = 0
    /// The launcher binary; empty = `swiftlet-launch` beside the daemon's own binary.
    var launcher = ""
    /// "trace", "debug", "info", "notice", "warning", "error" or "critical".
    var logLevel = "info"
    /// "text" or "json".
    var logFormat = "text"
    var cgroup = Cgroup()
    var cni = CNI()
    var registry = Registry()
    var image = Image()
    var container = Container()
    var exec = Exec()
    var streaming = Streaming()
    var inspect = Inspect()
    var metrics = Metrics()
    var tracing = Tracing()

    struct Cgroup: Codable, Equatable, Sendable {
        /// "cgroupfs".
        var driver = "cgroupfs"
        /// Mount point of cgroup2; empty = found in /proc/self/mountinfo.
        var mount = ""
        /// Cgroup of the daemon and of the supervisors, below the mount point.
        var own = "/swiftlet"
        /// Put before the id in the name of a pod's or container's cgroup.
        var prefix = ""
        /// Put after the id.
        var suffix = ""
        /// True: a limit whose controller this host does not have is logged and left out. False: it fails the call.
        var tolerateMissingControllers = false

        init() {}
    }

    struct CNI: Codable, Equatable, Sendable {
        var confDir = "/etc/cni/net.d"
        var binDirs = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"]
        /// Which address comes first: "ipv4", "ipv6" or "cni" (as the plugin lists them).
        var ipPreference = "ipv4"
        var timeoutSeconds = 60

        init() {}
    }

    struct Registry: Codable, Equatable, Sendable {
        /// Directory of `<host>/hosts.toml`; a missing one means no mirrors.
        var hostsDir = "/etc/swiftlet/hosts.d"
        /// A pull without a byte for so long fails.
        var progressTimeoutSeconds = 60

        init() {}
    }

    struct Image: Codable, Equatable, Sendable {
        /// What becomes of VOLUMEs of an image: "copy" (a directory per container, filled from the image) or "ignore".
        var volumes = "copy"
        /// Glob patterns of images that are reported as pinned.
        var pinned: [String] = []

        init() {}
    }

    struct Container: Codable, Equatable, Sendable {
        /// Capabilities of a container that asks for none.
        var capabilities = [
            "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
            "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
        ]
        /// Limits by their name without RLIMIT_, in lower case: soft and hard; -1 = no limit (setrlimit(2)).
        var rlimits: [String: [Int64]] = ["nofile": [1024, 524_288], "core": [0, -1]]
        /// Processes in a container; 0 = no limit but the pod's.
        var pidsLimit: Int64 = 0
        /// Size of /dev/shm of a pod.
        var shmBytes: Int64 = 64 << 20
        /// net.ipv4.ip_unprivileged_port_start = 0 in pods with a network of their own.
        var unprivilegedPorts = true
        /// net.ipv4.ping_group_range = all in pods with a network of their own.
        var unprivilegedPing = true

        init() {}
    }

    struct Exec: Codable, Equatable, Sendable {
        /// Bytes of each stream that ExecSync returns.
        var syncOutputBytesMax = 16 << 20
        /// How long descendants may hold the pipes after the process has ended.
        var syncDrainMilliseconds = 1000

        init() {}
    }

    /// The server behind the URLs of Exec, Attach and PortForward.
    struct Streaming: Codable, Equatable, Sendable {
        /// An address, not a name. The kubelet is the only client: it is on this node.
        var address = "127.0.0.1"
        /// 0 = a free one.
        var port = 0
        /// PEM files with the certificate chain and its key; both empty = without TLS.
        var tlsCert = ""
        var tlsKey = ""
        /// A connection that carries nothing for so long is closed.
        var idleTimeoutSeconds = 14_400
        /// How long a client may take to open the streams that it asked for.
        var creationTimeoutSeconds = 30

        init() {}
    }

    struct Inspect: Codable, Equatable, Sendable {
        /// Unix socket on which a kubelet's statistics collector finds what it asks of CRI-O; empty = none. The kubelet looks
        /// for "/var/run/crio/crio.sock", and wants "crio-" as `cgroup.prefix` and ".scope" as
        /// `cgroup.suffix`.
        var socket = ""

        init() {}
    }

    struct Metrics: Codable, Equatable, Sendable {
        /// "ADDRESS:PORT" or "[ADDRESS]:PORT" where Prometheus reads /metrics, and /healthz is answered; empty = none.
        var address = ""

        init() {}
    }

    struct Tracing: Codable, Equatable, Sendable {
        /// "http://HOST:PORT" or "unix:///PATH" of an OpenTelemetry collector (OTLP over gRPC) that gets spans; empty = none.
        var endpoint = ""

        init() {}
    }

    init() {}
}
