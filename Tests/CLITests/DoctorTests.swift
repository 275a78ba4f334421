import ArgumentParser
import CLICore
import Foundation
import Testing

@testable import swiftlet

@Suite struct DoctorTests {
    /// A fault, and the one finding that it must make.
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var severity: Finding.Severity
        var area: Finding.Area
        var says: String
        var plant: @Sendable (inout FakeNode) -> Void
        var testDescription: String { name }
    }

    private static func fault(
        _ name: String, _ severity: Finding.Severity, _ area: Finding.Area, _ says: String,
        _ plant: @escaping @Sendable (inout FakeNode) -> Void
    ) -> Fault { Fault(name: name, severity: severity, area: area, says: says, plant: plant) }

    private static let root = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    private static let cgroup = "25 22 0:22 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
    private static let run = "26 22 0:23 / /run rw,nosuid shared:5 - tmpfs tmpfs rw\n"

    private static let ofTheKernel = [
        fault("old kernel", .error, .kernel, "older than 5.15") { $0.files["/proc/sys/kernel/osrelease"] = "5.10.0-9" },
        fault("no proc", .error, .kernel, "cannot be read") { $0.files["/proc/sys/kernel/osrelease"] = nil },
        fault("no overlay", .error, .kernel, "has no overlay") {
            $0.files["/proc/filesystems"] = $0.files["/proc/filesystems"]?.replacing("overlay", with: "squashfs")
        },
        fault("no pid namespaces", .error, .kernel, "no pid namespaces") {
            $0.directories["/proc/self/ns"]?.remove(at: 4)
        },
        fault("no more namespaces", .error, .kernel, "max_net_namespaces is 0") {
            $0.files["/proc/sys/user/max_net_namespaces"] = "0"
        },
        fault("few namespaces", .warning, .kernel, "is 100") { $0.files["/proc/sys/user/max_net_namespaces"] = "100" },
        fault("few watches", .note, .kernel, "max_user_instances is 128") {
            $0.files["/proc/sys/fs/inotify/max_user_instances"] = "128"
        },
        fault("private root", .warning, .kernel, "not shared") {
            $0.files["/proc/self/mountinfo"] = root.replacing(" shared:1", with: "") + cgroup + run
        },
    ]

    private static let ofCgroups = [
        fault("no cgroup2", .error, .cgroups, "cgroup2 is not mounted") {
            $0.files["/proc/self/mountinfo"] = root + run
        },
        fault("read-only cgroups", .error, .cgroups, "read-only") {
            $0.files["/proc/self/mountinfo"] = root + run + cgroup.replacing(" rw ", with: " ro,nosuid ")
        },
        fault("no controllers file", .error, .cgroups, "cgroup.controllers cannot") {
            $0.files["/sys/fs/cgroup/cgroup.controllers"] = nil
        },
        fault("memory disabled", .error, .cgroups, "controller memory is not in cgroup2") {
            $0.files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset cpu io pids"
        },
        fault("memory tolerated", .warning, .cgroups, "controller memory") {
            $0.files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset cpu io pids"
            $0.setting.toleratesMissingControllers = true
        },
        fault("hybrid", .error, .cgroups, "version 1 has it at /sys/fs/cgroup/memory") {
            $0.files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset cpu io pids"
            $0.files["/proc/self/mountinfo"]?
                .append("27 25 0:24 / /sys/fs/cgroup/memory rw shared:6 - cgroup cgroup rw,memory\n")
        },
        fault(
            "hybrid io", .warning, .cgroups, "controller io is not in cgroup2: version 1 has it at /sys/fs/cgroup/disk"
        ) {
            $0.files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset cpu memory pids"
            $0.files["/proc/self/mountinfo"]?
                .append("27 25 0:24 / /sys/fs/cgroup/disk rw shared:6 - cgroup cgroup rw,blkio\n")
        },
        fault("hybrid cpu", .error, .cgroups, "version 1 has it at /sys/fs/cgroup/cpu,cpuacct") {
            $0.files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset io memory pids"
            $0.files["/proc/self/mountinfo"]?
                .append("27 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct\n")
        },
        fault("version 1 beside", .note, .cgroups, "version 1 is mounted beside") {
            $0.files["/proc/self/mountinfo"]?.append("27 25 0:24 / /sys/fs/cgroup/net rw shared:6 - cgroup cgroup rw\n")
        },
        fault("no pressure", .note, .cgroups, "no pressure") { $0.files["/proc/pressure/cpu"] = nil },
    ]

    private static let ofTheNetwork = [
        fault("no configuration", .error, .network, "no network is configured") {
            $0.directories["/etc/cni/net.d"] = ["README"]
        },
        fault("two configurations", .note, .network, "the first by name is used: 10-net") {
            $0.directories["/etc/cni/net.d"]?.append("20-other.conf")
        },
        fault("broken configuration", .error, .network, "is not JSON") {
            $0.files["/etc/cni/net.d/10-net.conflist"] = "{\"a\":"
        },
        fault("empty configuration", .error, .network, "names no plugin") {
            $0.files["/etc/cni/net.d/10-net.conflist"] = "{}"
        },
        fault("no plugin", .error, .network, "\"portmap\"") { $0.kinds["/opt/cni/bin/portmap"] = nil },
        fault("plugin not executable", .error, .network, "\"host-local\"") {
            $0.kinds["/usr/lib/cni/host-local"] = .file(executable: false)
        },
        fault("no forwarding", .warning, .network, "ip_forward is 0") {
            $0.files["/proc/sys/net/ipv4/ip_forward"] = "0"
        },
        fault("bridge hides", .note, .network, "bridge-nf-call-iptables is 0") {
            $0.directories["/proc/sys/net/bridge"] = []
            $0.files["/proc/sys/net/bridge/bridge-nf-call-iptables"] = "0"
        },
    ]

    private static let ofSecurity = [
        fault("no seccomp", .error, .security, "filters no system calls") {
            $0.files["/proc/sys/kernel/seccomp/actions_avail"] = nil
        },
        fault("old seccomp", .error, .security, "cannot do \"log\"") {
            $0.files["/proc/sys/kernel/seccomp/actions_avail"] = "kill_process errno allow"
        },
        fault("selinux", .warning, .security, "SELinux is enforcing") {
            $0.files["/sys/kernel/security/lsm"] = "capability,selinux"
            $0.files["/sys/fs/selinux/enforce"] = "1"
        },
        fault("apparmor", .note, .security, "AppArmor is on") {
            $0.files["/sys/kernel/security/lsm"] = "capability,apparmor"
        },
        fault("yama", .note, .security, "ptrace_scope is 3") { $0.files["/proc/sys/kernel/yama/ptrace_scope"] = "3" },
        fault("not root", .note, .security, "does not run as root") {
            $0.files["/proc/self/status"] = "Uid:\t0\t1000\t0\t0\n"
        },
        fault("open socket", .error, .security, "everybody may connect to /run/swiftlet/swiftlet.sock (mode 0666)") {
            $0.accesses["/run/swiftlet/swiftlet.sock"]?.mode = 0o666
        },
        fault("foreign socket", .error, .security, "swiftlet.sock belongs to user 33") {
            $0.accesses["/run/swiftlet/swiftlet.sock"]?.user = 33
        },
        fault(
            "writable store", .error, .security, "others than root may write in /var/lib/swiftlet (user 0, mode 0720)"
        ) {
            $0.accesses["/var/lib/swiftlet"]?.mode = 0o720
        },
        fault("foreign state", .error, .security, "others than root may write in /run/swiftlet (user 33, mode 0710)") {
            $0.accesses["/run/swiftlet"]?.user = 33
        },
        fault("store for everybody", .warning, .security, "everybody may enter /var/lib/swiftlet (mode 0711)") {
            $0.accesses["/var/lib/swiftlet"]?.mode = 0o711
        },
        fault("no securityfs", .note, .security, "lsm cannot be read") { $0.files["/sys/kernel/security/lsm"] = nil },
    ]

    private static let ofTheDisk = [
        fault("disk nearly full", .error, .disk, "1 % of the bytes") { $0.rooms["/var/lib/swiftlet"]?.freeBytes = 10 },
        fault("disk filling", .warning, .disk, "9 % of the bytes") { $0.rooms["/var/lib/swiftlet"]?.freeBytes = 90 },
        fault("few inodes", .warning, .disk, "5 % of the inodes") { $0.rooms["/var/lib/swiftlet"]?.freeInodes = 50 },
        fault("overlay below", .error, .disk, "is on overlay") {
            $0.files["/proc/self/mountinfo"] = root.replacing("ext4", with: "overlay") + cgroup + run
        },
        fault("read-only disk", .error, .disk, "mounted read-only") {
            $0.files["/proc/self/mountinfo"]?.append("28 22 8:2 / /var/lib ro shared:7 - ext4 /dev/sdb rw\n")
        },
        fault("noexec", .error, .disk, "mounted with noexec") {
            $0.files["/proc/self/mountinfo"]?.append("28 22 8:2 / /var rw,noexec shared:7 - ext4 /dev/sdb rw\n")
        },
        fault("nosuid", .warning, .disk, "mounted with nosuid") {
            $0.files["/proc/self/mountinfo"]?.append("28 22 8:2 / /var rw,nosuid shared:7 - ext4 /dev/sdb rw\n")
        },
        fault("state on a disk", .warning, .disk, "/run/swiftlet is on ext4") {
            $0.files["/proc/self/mountinfo"] = root + cgroup
        },
    ]

    private static let ofTheUnit = [
        fault("mount namespace", .error, .unit, "PrivateTmp=yes, which makes a mount namespace") {
            $0.addDropIn("PrivateTmp=yes")
        },
        fault("filter", .error, .unit, "filters system calls") { $0.addDropIn("SystemCallFilter=@system-service") },
        fault("capabilities", .error, .unit, "takes capabilities away") {
            $0.addDropIn("CapabilityBoundingSet=CAP_SYS_ADMIN")
        },
        fault("no_new_privs", .error, .unit, "sets no_new_privs") { $0.addDropIn("  NoNewPrivileges = true ") },
        fault("other namespace", .error, .unit, "makes another namespace") { $0.addDropIn("PrivateNetwork=1") },
        fault("user", .error, .unit, "User=nobody") { $0.addDropIn("User=nobody") },
        fault("of all services", .error, .unit, "service.d/10-all.conf has ProtectSystem=strict") {
            $0.addDropIn("ProtectSystem=strict", in: "/usr/lib/systemd/system/service.d", "10-all.conf")
        },
        fault("continued line", .error, .unit, "ReadOnlyPaths") { $0.addDropIn("ReadOnlyPaths=\\\n  /etc") },
        fault("kills all", .error, .unit, "KillMode=control-group") { $0.addDropIn("KillMode=control-group") },
        fault("not delegated", .error, .unit, "Delegate=no") { $0.addDropIn("Delegate=no") },
        fault("old type", .note, .unit, "Type=exec") { $0.addDropIn("Type=exec") },
        fault("wrong type", .error, .unit, "Type=forking") { $0.addDropIn("Type=forking") },
        fault("not restarted", .warning, .unit, "Restart=no") { $0.addDropIn("Restart=no") },
        fault("no capability at all", .error, .unit, "CapabilityBoundingSet=, which takes") {
            $0.addDropIn("CapabilityBoundingSet=")
        },
        fault(
            "by set-property", .error, .unit, "/run/systemd/system.control/swiftlet.service.d/50.conf has ReadOnlyPaths"
        ) {
            $0.addDropIn("ReadOnlyPaths=/", in: "/run/systemd/system.control/swiftlet.service.d", "50.conf")
        },
        fault("logs elsewhere", .error, .unit, "LogNamespace=x, which makes a mount namespace") {
            $0.addDropIn("LogNamespace=x")
        },
        fault("masked", .error, .unit, "is masked by /etc/systemd/system/swiftlet.service") {
            $0.kinds["/etc/systemd/system/swiftlet.service"] = .other
            $0.links["/etc/systemd/system/swiftlet.service"] = "/dev/null"
        },
        fault("no unit", .note, .unit, "systemd has no swiftlet.service") {
            $0.files["/usr/lib/systemd/system/swiftlet.service"] = nil
            $0.directories["/run/systemd/system"] = []
        },
    ]

    private static let ofTheDaemon = [
        fault("runs with no_new_privs", .error, .daemon, "has no_new_privs") {
            $0.files["/proc/77/status"] = "NoNewPrivs:\t1\nSeccomp:\t0\nCapBnd:\t000001ffffffffff\n"
        },
        fault("runs filtered", .error, .daemon, "system call filter") {
            $0.files["/proc/77/status"] = "NoNewPrivs:\t0\nSeccomp:\t2\nCapBnd:\t000001ffffffffff\n"
        },
        fault("runs without capabilities", .error, .daemon, "lacks capabilities") {
            $0.files["/proc/77/status"] = "NoNewPrivs:\t0\nSeccomp:\t0\nCapBnd:\t00000000a80425fb\n"
        },
        fault("runs in a mount namespace", .error, .daemon, "mount namespace of its own") {
            $0.links["/proc/77/ns/mnt"] = "mnt:[2]"
        },
        fault("few files", .warning, .daemon, "may open 1024 files") {
            $0.files["/proc/77/limits"] = "Max open files            1024   4096   files\n"
        },
        fault("can be killed", .note, .daemon, "oom_score_adj 0") { $0.files["/proc/77/oom_score_adj"] = "0\n" },
        fault("no socket", .error, .runtime, "swiftlet.sock is not there") {
            $0.kinds["/run/swiftlet/swiftlet.sock"] = nil
            $0.setting.answer = .silence("x")
        },
        fault("dead socket", .error, .runtime, "nobody answers at /run/swiftlet/swiftlet.sock: refused") {
            $0.setting.answer = .silence("refused")
        },
        fault("a file for a socket", .error, .runtime, "is not a socket") {
            $0.kinds["/run/swiftlet/swiftlet.sock"] = .file(executable: false)
            $0.setting.answer = .silence("x")
        },
        fault("not ready", .error, .runtime, "the runtime says: NetworkReady is false") {
            $0.setting.answer = .status(
                name: "swiftlet", version: "1", unready: ["NetworkReady is false"], pods: [FakeNode.pod],
                containers: [FakeNode.container])
        },
    ]

    private static let other = String(repeating: "b", count: 64)
    private static let left = [
        fault("stale pod", .warning, .stale, "/var/lib/swiftlet/pods has 1") {
            $0.directories["/var/lib/swiftlet/pods"]?.append(other)
        },
        fault("stale container", .warning, .stale, "/var/lib/swiftlet/containers has 1") {
            $0.directories["/var/lib/swiftlet/containers"]?.append(other)
        },
        fault("stale state", .warning, .stale, "/run/swiftlet/pods has 1") {
            $0.directories["/run/swiftlet/pods"]?.append(other)
        },
        fault("orphan", .warning, .stale, "1 supervisors run") {
            $0.directories["/proc"]?.append("90")
            $0.files["/proc/90/comm"] = "swiftlet-launch\n"
            $0.files["/proc/90/cmdline"] = "swiftlet-launch\0supervise\0\(other)\0"
        },
    ]

    static let faults = ofTheKernel + ofCgroups + ofTheNetwork + ofSecurity + ofTheDisk + ofTheUnit + ofTheDaemon + left

    @Test("a healthy node has no findings")
    func healthy() { #expect(FakeNode().findings == []) }

    @Test("each fault is found, and nothing else", arguments: faults)
    func finds(fault: Fault) throws {
        var node = FakeNode()
        fault.plant(&node)
        let findings = node.findings
        #expect(findings.count == 1, "\(findings.map(\.what))")
        let finding = try #require(findings.first)
        #expect(finding.what.contains(fault.says), "\(finding.what)")
        #expect((finding.area, finding.severity) == (fault.area, fault.severity))
        #expect(!finding.breaks.isEmpty && !finding.mend.isEmpty)
    }

    @Test("state that is below /run already is not sent there")
    func stateBelowRun() {
        var node = FakeNode()
        node.files["/proc/self/mountinfo"] = Self.root + Self.cgroup
        #expect(node.findings.map(\.mend) == ["mount a tmpfs at /run, as systemd does at boot"])
        node.setting.state = "/var/lib/state"
        #expect(node.findings.contains { $0.mend == "put the state directory below /run" })
    }

    static let harmless = [
        "PrivateTmp=no", "ProtectSystem=false", "SystemCallFilter=", "User=root", "ProtectProc=default",
        "NoNewPrivileges=off", "CapabilityBoundingSet=~", "Delegate=true", "Type=notify-reload", "Restart=on-failure",
        "PrivateTmp=yes\nPrivateTmp=no", "SystemCallFilter=@mount\nSystemCallFilter=",
        "#PrivateTmp=yes", "[Unit]\nPrivateTmp=yes", "LimitNOFILE=5", "Nonsense",
    ]

    @Test("a drop-in that takes nothing away is no finding", arguments: harmless)
    func harmlessDropIn(line: String) {
        var node = FakeNode()
        node.addDropIn(line)
        #expect(node.findings == [])
    }

    /// Each directive that the unit warns of, so that the two cannot differ.
    static let named = UnitDirectives.harms.flatMap(\.names).sorted()

    @Test("each directive that is inherited is found", arguments: named)
    func inherited(key: String) {
        var node = FakeNode()
        node.addDropIn("\(key)=x")
        #expect(node.findings.map(\.area) == [.unit])
        #expect(node.findings.first?.what.contains("\(key)=x") == true)
    }

    @Test("what the packaged unit warns of is looked for, and the packaged unit is no finding")
    func packaged() throws {
        let file = Golden.packageRoot.appending(path: "packaging/swiftlet.service")
        let text = try String(contentsOf: file, encoding: .utf8)
        let warned = text.matches(of: /([A-Z][A-Za-z]+)=[,)]/).map { String($0.1) }
        #expect(warned.count > 30)
        #expect(Set(warned).subtracting(Self.named) == [])
        var node = FakeNode()
        node.files["/usr/lib/systemd/system/swiftlet.service"] = text
        #expect(node.findings == [])
    }

    @Test("a drop-in is hidden by one of the same name with more weight")
    func hidden() {
        var node = FakeNode()
        node.addDropIn("PrivateTmp=yes", in: "/usr/lib/systemd/system/swiftlet.service.d")
        #expect(node.findings.count == 1)
        node.addDropIn("LimitNOFILE=5")
        #expect(node.findings == [])
    }

    @Test("stale state is not judged while nobody says which pods there are")
    func unjudged() {
        var node = FakeNode()
        node.directories["/var/lib/swiftlet/pods"]?.append(Self.other)
        node.setting.answer = nil
        #expect(node.findings == [])
        node.setting.answer = .status(name: "other", version: "1", unready: [], pods: [], containers: [])
        #expect(node.findings == [])
    }

    @Test("a node of which nothing can be read makes findings and no crash")
    func blind() {
        var node = FakeNode()
        (node.files, node.directories, node.links, node.kinds, node.rooms) = ([:], [:], [:], [:], [:])
        #expect(node.findings.contains { $0.severity == .error })
    }

    @Test(
        "files with nonsense in them make no crash",
        arguments: ["", "\0", " - ", "a b c d e f - ", "=\n[\n[Service]\n=\n", "-1"])
    func nonsense(text: String) {
        var node = FakeNode()
        for path in node.files.keys { node.files[path] = text }
        #expect(node.findings.contains { $0.severity == .error })
    }

    @Test("what the runtime says of its configuration is gone by")
    func configured() throws {
        var node = FakeNode()
        let shown = """
            {"rootDir":"/data","stateDir":"/run/x","configuration":{"cni":{"conf_dir":"/net","bin_dirs":["/bin1"]},
            "cgroup":{"tolerate_missing_controllers":true}}}
            """
        node.setting.take(try JSONParser.parse(shown.utf8))
        #expect(
            node.setting.root == "/data" && node.setting.state == "/run/x" && node.setting.toleratesMissingControllers)
        #expect(node.findings.map(\.what) == ["no network is configured in /net"])
    }

    @Test("another user than root is not told that a socket is missing")
    func unseen() {
        var node = FakeNode()
        node.files["/proc/self/status"] = "Uid:\t1000\t1000\t1000\t1000\n"
        node.kinds["/run/swiftlet/swiftlet.sock"] = nil
        node.setting.answer = .silence("x")
        #expect(
            node.findings.contains {
                $0.what == "/run/swiftlet/swiftlet.sock is not there, or not for this user to see"
            }
        )
    }

    // MARK: - What is shown

    private static let three: [Finding] = [
        Finding(area: .kernel, severity: .note, what: "n\u{1b}", breaks: "nb", mend: "nm"),
        Finding(area: .disk, severity: .error, what: "e", breaks: "eb", mend: "em"),
        Finding(area: .unit, severity: .warning, what: "w", breaks: "wb", mend: "wm"),
    ]

    private func report(_ findings: [Finding], _ arguments: [String], isTerminal: Bool = false) throws -> (
        Int32, String
    ) {
        let captured = CapturedConsole(isTerminal: isTerminal)
        let command = try #require(try Doctor.parse(arguments) as Doctor?)
        do { try command.report(findings, on: captured.console) } catch let failure as Failure {
            return (failure.exitStatus, captured.out)
        }
        return (0, captured.out)
    }

    @Test("errors come first and end with 1, warnings only where they count")
    func statuses() throws {
        let (status, text) = try report(Self.three, [])
        #expect(status == 1)
        #expect(text.hasPrefix("error: disk: e\n    breaks: eb\n    mend:   em\nwarning: unit: w\n"))
        #expect(text.hasSuffix("note: kernel: n?\n    breaks: nb\n    mend:   nm\n1 error, 1 warning, 1 note\n"))
        #expect(!text.contains("\u{1b}"))
        let calm = Self.three.filter { $0.severity < .error }
        #expect(try report(calm, []).0 == 0)
        #expect(try report(calm, ["--strict"]).0 == 1)
        #expect(try report([], ["--strict"]) == (0, "0 errors, 0 warnings, 0 notes\n"))
        #expect(try !report(Self.three, ["-q"]).1.contains("kernel"))
        #expect(try report(Self.three, [], isTerminal: true).1.hasPrefix("\u{1b}[31merror\u{1b}[0m: disk"))
    }

    @Test("findings are JSON for programs")
    func json() throws {
        let (status, text) = try report(Self.three, ["-o", "json"])
        #expect(status == 1)
        let tree = try JSONParser.parse(text.utf8)
        guard case .array(let items)? = tree["findings"] else { throw Failure("no findings") }
        #expect(items.compactMap { $0["severity"]?.text } == ["error", "warning", "note"])
        #expect(items.first?["mend"]?.text == "em")
    }

    @Test("the node of this test can be examined, whatever it is like")
    func here() async throws {
        let scratch = try ScratchDirectory()
        let captured = CapturedConsole()
        let status = await Program.run(
            ["-r", scratch.path + "/none.sock", "doctor", "-o", "json"], environment: [:], console: captured.console)
        // Nobody answers at that socket.
        #expect(status == 1)
        #expect(captured.err == "")
        #expect(captured.out.contains("none.sock is not there"))
    }
}
