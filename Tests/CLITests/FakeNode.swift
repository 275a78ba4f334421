@testable import swiftlet

/// A node of text: healthy, until a test plants a fault.
struct FakeNode: NodePort {
    static let pod = String(repeating: "a", count: 64)
    static let container = String(repeating: "c", count: 64)

    var files: [String: String] = [
        "/proc/sys/kernel/osrelease": "6.1.0-13-amd64\n",
        "/proc/filesystems": "nodev\toverlay\nnodev\tcgroup2\nnodev\tmqueue\nnodev\tdevpts\nnodev\ttmpfs\n\text4\n",
        "/proc/sys/user/max_net_namespaces": "127000\n",
        "/proc/sys/fs/inotify/max_user_instances": "8192\n", "/proc/sys/fs/inotify/max_user_watches": "1000000\n",
        "/proc/sys/kernel/pid_max": "4194304\n", "/proc/sys/vm/max_map_count": "65530\n",
        "/proc/self/mountinfo": """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        25 22 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw
        26 22 0:23 / /run rw,nosuid shared:5 - tmpfs tmpfs rw

        """,
        "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids\n",
        "/proc/pressure/cpu": "some avg10=0.00\n",
        "/etc/cni/net.d/10-net.conflist":
            #"{"plugins":[{"type":"bridge","ipam":{"type":"host-local"}},{"type":"portmap"}]}"#,
        "/proc/sys/net/ipv4/ip_forward": "1\n",
        "/proc/sys/kernel/seccomp/actions_avail": "kill_process kill_thread trap errno user_notif trace log allow\n",
        "/sys/kernel/security/lsm": "lockdown,capability,landlock,yama",
        "/proc/sys/kernel/yama/ptrace_scope": "1\n",
        "/usr/lib/systemd/system/swiftlet.service":
            "[Unit]\nUser=ignored\n[Service]\nType=notify\nExecStart=/x\n# PrivateTmp=yes\nKillMode=process\nDelegate=yes\nRestart=always\n",
        "/proc/self/status": "Name:\tswiftlet\nUid:\t0\t0\t0\t0\n",
        "/proc/1/status": "CapBnd:\t000001ffffffffff\n",
        "/proc/77/comm": "swiftletd\n", "/proc/77/oom_score_adj": "-999\n",
        "/proc/77/status": "NoNewPrivs:\t0\nSeccomp:\t0\nCapBnd:\t000001ffffffffff\n",
        "/proc/77/limits":
            "Limit  Soft Limit  Hard Limit  Units\nMax open files            1048576   1048576   files\n",
        "/proc/80/comm": "swiftlet-launch\n", "/proc/80/cmdline": "swiftlet-launch\0supervise\0\(pod)\0",
    ]
    var directories: [String: [String]] = [
        "/proc/self/ns": ["cgroup", "ipc", "mnt", "net", "pid", "uts"], "/proc": ["1", "77", "80", "self"],
        "/etc/cni/net.d": ["10-net.conflist", "README"],
        "/var/lib/swiftlet/pods": [pod], "/var/lib/swiftlet/containers": [container], "/run/swiftlet/pods": [pod],
    ]
    var links = ["/proc/1/ns/mnt": "mnt:[1]", "/proc/77/ns/mnt": "mnt:[1]"]
    var kinds: [String: NodeFileKind] = [
        "/opt/cni/bin/bridge": .file(executable: true), "/usr/lib/cni/host-local": .file(executable: true),
        "/opt/cni/bin/portmap": .file(executable: true), "/run/swiftlet/swiftlet.sock": .socket,
        "/var/lib/swiftlet": .directory, "/run/swiftlet": .directory, "/run": .directory, "/": .directory,
    ]
    var accesses = [
        "/run/swiftlet/swiftlet.sock": NodeAccess(user: 0, mode: 0o660),
        "/var/lib/swiftlet": NodeAccess(user: 0, mode: 0o700), "/run/swiftlet": NodeAccess(user: 0, mode: 0o710),
    ]
    var rooms = ["/var/lib/swiftlet": NodeRoom(bytes: 1000, freeBytes: 500, inodes: 1000, freeInodes: 500)]
    var setting = NodeSetting(
        answer: .status(name: "swiftlet", version: "0.1.0", unready: [], pods: [pod], containers: [container]))

    func text(_ path: String) -> String? { files[path] }
    func names(_ directory: String) -> [String]? { directories[directory] }
    func link(_ path: String) -> String? { links[path] }
    func access(_ path: String) -> NodeAccess? { accesses[path] }
    func room(_ path: String) -> NodeRoom? { rooms[path] }

    func kind(_ path: String) -> NodeFileKind? {
        kinds[path] ?? (files[path] != nil ? .file(executable: false) : directories[path] != nil ? .directory : nil)
    }

    /// Puts a line into a drop-in of the unit.
    mutating func addDropIn(
        _ text: String, in place: String = "/etc/systemd/system/swiftlet.service.d", _ name: String = "a.conf"
    ) {
        directories[place, default: []].append(name)
        files[place + "/" + name] = "[Service]\n" + text + "\n"
    }

    var findings: [Finding] { Examination.findings(self, setting) }
}
