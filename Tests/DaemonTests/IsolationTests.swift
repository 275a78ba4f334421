import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Isolation {}
}

extension WholeDaemon.Isolation {
    @Test func `devices beyond the default list cannot be opened, even when made inside`() async throws {
        try await Node.current.withPod("devices") { pod in
            let container = try await pod.start()
            // Making a node is allowed (CAP_MKNOD); opening it is what the device program refuses.
            for (kind, major, minor) in [("b", 8, 0), ("c", 1, 1), ("c", 10, 200)] {
                try await container.sh("mknod /tmp/\(kind)-\(major)-\(minor) \(kind) \(major) \(minor)")
                let said = try await container.shFails("head -c 1 /tmp/\(kind)-\(major)-\(minor)")
                #expect(said.contains("Operation not permitted"), "\(kind) \(major):\(minor): \(said)")
            }
            try await container.sh("mknod /tmp/null c 1 3 && echo x >/tmp/null")
            let nodes = "null zero full random urandom tty"
            let listed = try await container.sh("for n in \(nodes); do stat -c '%n %t:%T %a' /dev/$n; done")
            #expect(
                listed.split(separator: "\n").map(String.init) == [
                    "/dev/null 1:3 666", "/dev/zero 1:5 666", "/dev/full 1:7 666", "/dev/random 1:8 666",
                    "/dev/urandom 1:9 666", "/dev/tty 5:0 666",
                ])
            #expect(try await container.sh("head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c") == "4\n4")
            #expect(try await container.shFails("echo x >/dev/full").contains("No space left on device"))
            #expect(
                try await container.sh("ls /dev | tr '\\n' ' '")
                    == "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ")
        }
    }

    @Test func `a device of the node is there only for a container that asks for it`() async throws {
        try await Node.current.withPod("fuse") { pod in
            let container = try await pod.start {
                $0.devices = [
                    .with {
                        $0.hostPath = "/dev/kmsg"
                        $0.containerPath = "/dev/node-log"
                        $0.permissions = "r"
                    }
                ]
            }
            #expect(try await container.sh("stat -c %t:%T /dev/node-log") == "1:b")
            #expect(try await container.shFails("echo x >/dev/node-log").contains("Operation not permitted"))
        }
    }

    @Test func `masked paths are empty and read-only paths cannot be written`() async throws {
        try await Node.current.withPod("paths") { pod in
            let container = try await pod.start()
            #expect(try await container.sh("cat /proc/kcore /proc/keys | wc -c") == "0")
            #expect(try await container.sh("ls -A /sys/firmware") == "")
            for path in ["/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern"] {
                let said = try await container.shFails("echo x >\(path)")
                #expect(said.contains("Read-only file system"), "\(path): \(said)")
            }
            #expect(try await container.shFails("mkdir /sys/fs/cgroup/x").contains("Read-only file system"))
            let open = try await pod.start {
                $0.linux.securityContext.maskedPaths = []
                $0.linux.securityContext.readonlyPaths = []
            }
            #expect(try await open.sh("grep -cE ' /proc/|/sys/firmware' /proc/self/mountinfo || true") == "0")
        }
    }

    @Test func `a container has exactly the capabilities that were asked for`() async throws {
        struct Row {
            let user: Int64
            let add: [String]
            let drop: [String]
            let effective: String
            let bounding: String
        }
        let usual = "00000000a80425fb"
        let none = "0000000000000000"
        let rows = [
            Row(user: 0, add: [], drop: [], effective: usual, bounding: usual),
            Row(user: 1000, add: [], drop: [], effective: none, bounding: usual),
            Row(
                user: 0, add: ["NET_ADMIN"], drop: ["ALL"], effective: "0000000000001000", bounding: "0000000000001000"),
            Row(user: 0, add: [], drop: ["ALL"], effective: none, bounding: none),
            Row(
                user: 0, add: ["CAP_SYS_TIME"], drop: ["cap_chown", "KILL"], effective: "00000000aa0425da",
                bounding: "00000000aa0425da"),
        ]
        try await Node.current.withPod("capabilities") { pod in
            for row in rows {
                let container = try await pod.start {
                    $0.linux.securityContext.runAsUser.value = row.user
                    $0.linux.securityContext.capabilities.addCapabilities = row.add
                    $0.linux.securityContext.capabilities.dropCapabilities = row.drop
                }
                for process in ["1", "self"] {
                    let lines = try await container.exec("grep", "^Cap", "/proc/\(process)/status")
                    #expect(
                        lines.split(separator: "\n").map(String.init) == [
                            "CapInh:\t\(none)", "CapPrm:\t\(row.effective)", "CapEff:\t\(row.effective)",
                            "CapBnd:\t\(row.bounding)", "CapAmb:\t\(none)",
                        ], "\(row)")
                }
                try await container.remove()
            }
            let refused = try await pod.refusalOfCreate(
                pod.containerConfig { $0.linux.securityContext.capabilities.addCapabilities = ["NO_SUCH"] })
            #expect(refused.code == .invalidArgument && refused.message.contains("NO_SUCH"), "\(refused)")
        }
    }

    @Test func `seccomp profiles are enforced`() async throws {
        let node = try Node.current
        let denies = try node.work.write(
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}"#,
            to: "profile.json")
        try await node.withPod("seccomp") { pod in
            func start(_ type: Runtime_V1_SecurityProfile.ProfileType, _ file: String = "") async throws -> Container {
                try await pod.start {
                    $0.linux.securityContext.seccomp.profileType = type
                    $0.linux.securityContext.seccomp.localhostRef = file
                }
            }
            let unconfined = try await start(.unconfined)
            #expect(
                try await unconfined.sh("grep '^Seccomp:' /proc/1/status /proc/self/status | cut -f 2 | tr '\\n' ' '")
                    == "0 0 ")
            try await unconfined.sh("unshare -U true")
            let usual = try await start(.runtimeDefault)
            #expect(
                try await usual.sh("grep '^Seccomp:' /proc/1/status /proc/self/status | cut -f 2 | tr '\\n' ' '")
                    == "2 2 ")
            #expect(try await usual.shFails("unshare -U true").contains("Operation not permitted"))
            let own = try await start(.localhost, denies)
            #expect(try await own.shFails("mkdir /tmp/x").contains("No space left on device"))
            try await own.sh("touch /tmp/x")
            for file in ["/no/such/profile.json", "/etc/passwd"] {
                let config = pod.containerConfig {
                    $0.linux.securityContext.seccomp.profileType = .localhost
                    $0.linux.securityContext.seccomp.localhostRef = file
                }
                let refused = try await pod.refusalOfCreate(config)
                #expect(refused.code == .invalidArgument && refused.message.contains(file), "\(refused)")
            }
        }
    }

    @Test(arguments: [true, false]) func `no_new_privs is as asked for`(isSet: Bool) async throws {
        try await Node.current.withPod("no-new-privs") { pod in
            let container = try await pod.start { $0.linux.securityContext.noNewPrivs = isSet }
            for process in ["1", "self"] {
                #expect(
                    try await container.sh("grep ^NoNewPrivs /proc/\(process)/status | cut -f 2") == (isSet ? "1" : "0")
                )
            }
        }
    }

    @Test func `user and groups are exactly those asked for`() async throws {
        typealias Change = @Sendable (inout Runtime_V1_LinuxContainerSecurityContext) -> Void
        let rows: [(String, Change)] = [
            // The image's root is in group wheel (10).
            ("0 0 0 10", { _ in }),
            ("0 0 0", { $0.supplementalGroupsPolicy = .strict }),
            ("1000 0 0", { $0.runAsUser.value = 1000 }),
            (
                "1000 2000 2000 3000 4000",
                {
                    $0.runAsUser.value = 1000
                    $0.runAsGroup.value = 2000
                    $0.supplementalGroups = [3000, 4000]
                }
            ),
            (
                "33 33 33 5000",
                {
                    $0.runAsUsername = "www-data"; $0.supplementalGroups = [5000]
                }
            ),
        ]
        try await Node.current.withPod("users") { pod in
            for (expected, change) in rows {
                let container = try await pod.start { change(&$0.linux.securityContext) }
                #expect(try await container.sh("echo $(id -u) $(id -g) $(id -G)") == expected)
                let user = try await container.status().user.linux
                #expect(
                    "\(([user.uid, user.gid] + user.supplementalGroups).map(String.init).joined(separator: " "))"
                        == expected)
                #expect(try await container.sh("grep ^Umask /proc/self/status | cut -f 2") == "0022")
                try await container.remove()
            }
            let refused = try await pod.refusalOfCreate(
                pod.containerConfig { $0.linux.securityContext.runAsUsername = "nobody-knows" })
            #expect(refused.code != .ok && refused.message.contains("nobody-knows"), "\(refused)")
        }
    }

    @Test func `a read-only root cannot be written but what belongs to the pod can`() async throws {
        try await Node.current.withPod("readonly") { pod in
            let container = try await pod.start { $0.linux.securityContext.readonlyRootfs = true }
            for path in ["/x", "/etc/x", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"] {
                #expect(try await container.shFails("echo x >\(path)").contains("Read-only file system"), "\(path)")
            }
            try await container.sh("echo x >/dev/shm/x && echo x >/dev/null")
            let writable = try await pod.start()
            try await writable.sh("echo x >/x && echo x >>/etc/hosts")
        }
    }

    @Test func `a privileged container sees the node's devices and may use them`() async throws {
        let node = try Node.current
        try await node.withPod("privileged", { $0.linux.securityContext.privileged = true }) { pod in
            let container = try await pod.start {
                $0.linux.securityContext.privileged = true
                $0.linux.securityContext.maskedPaths = []
                $0.linux.securityContext.readonlyPaths = []
            }
            let held = try await node.succeed("sh", "-c", "grep ^CapPrm /proc/self/status | cut -f 2")
            #expect(try await container.sh("grep ^CapEff /proc/1/status | cut -f 2") + "\n" == held)
            let device = try await node.succeed("sh", "-c", "find /dev -xdev -type c -name kmsg")
            #expect(device == "/dev/kmsg\n")
            try await container.sh("test -c /dev/kmsg && mknod /tmp/zero c 1 5 && mknod /tmp/other c 10 200")
            // Not refused by a device program; there may be no driver behind it.
            let opened = try await container.execResponse(["sh", "-c", "head -c 0 /tmp/other"])
            #expect(!String(decoding: opened.stderr, as: UTF8.self).contains("Operation not permitted"))
            #expect(try await container.sh("grep ' /sys ' /proc/self/mountinfo").contains(" rw,"))
        }
        try await node.withPod("not-privileged") { pod in
            let refused = try await pod.refusalOfCreate(
                pod.containerConfig { $0.linux.securityContext.privileged = true })
            #expect(refused.code == .invalidArgument && refused.message.contains("privileged"), "\(refused)")
        }
    }

    @Test func `limits and the order of killing are as configured`() async throws {
        try await Node.current.withPod("limits") { pod in
            let container = try await pod.start { $0.linux.resources.oomScoreAdj = 500 }
            #expect(
                try await container.sh("ulimit -Sn; ulimit -Sc; cat /proc/1/oom_score_adj /proc/self/oom_score_adj")
                    == "1024\n0\n500\n500")
        }
    }

    @Test func `the environment is made of the image's and the request's variables and of nothing else`() async throws {
        try await Node.current.withPod("environment") { pod in
            let container = try await pod.start {
                $0.envs = [("WITH_EQUALS", "a=b=c"), ("EMPTY", ""), ("SPACED", " x  y ")].map { name, value in
                    .with {
                        $0.key = name
                        $0.value = Data(value.utf8)
                    }
                }
                $0.workingDir = "/made/for/this"
            }
            let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            let expected = [
                "EMPTY=", "HOME=/root", "HOSTNAME=\(pod.config.hostname)", path, "SPACED= x  y ", "WITH_EQUALS=a=b=c",
            ]
            let variables = try await container.exec("env").split(separator: "\n").map(String.init).sorted()
            #expect(variables == expected.sorted())
            #expect(try await container.exec("pwd") == "/made/for/this")
            let first = try await container.sh("tr '\\0' '\\n' </proc/1/environ")
            #expect(first.split(separator: "\n").map(String.init).sorted() == expected.sorted())
        }
    }
}
