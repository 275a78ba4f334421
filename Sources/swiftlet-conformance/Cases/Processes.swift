import CRIProto
import SwiftProtobuf
import GRPC
import Foundation

/// What a container's process is given.
let processCases: [Case] = [
    Case(
        "process.command", "Command and arguments are given to the program as they are",
        source: "api.proto ContainerConfig.command",
        proves: ["CreateContainerRequest.config.command", "CreateContainerRequest.config.args"]
    ) { trial in
        let container = try await trial.running(["sh", "-c"]) {
            $0.args = ["for a; do echo \"[$a]\"; done", "x", "one two", "", "*"]
        }
        let records = try await trial.log(container) { $0.count >= 3 }
        try equal(records.map(\.text), ["[one two]", "[]", "[*]"], "arguments")
    },
    Case(
        "process.environment", "The variables of the request are set, and PATH has a default",
        source: "api.proto KeyValue",
        proves: ["CreateContainerRequest.config.envs[].key", "CreateContainerRequest.config.envs[].value"]
    ) { trial in
        let text = try await trial.output(of: "echo \"$ONE|$EMPTY|$PATH\"") {
            $0.envs = [
                .with {
                    $0.key = "ONE"
                    $0.value = .init("a b=c".utf8)
                },
                .with { $0.key = "EMPTY" },
            ]
        }
        try expect(text.hasPrefix("a b=c||/usr/local/sbin:"), text)
    },
    Case(
        "process.working-directory", "The working directory is that of the request, made if it is missing",
        source: "api.proto ContainerConfig.working_dir",
        proves: ["CreateContainerRequest.config.working_dir"]
    ) { trial in
        try equal(try await trial.output(of: "pwd") { $0.workingDir = "/made/deep" }, "/made/deep", "directory")
    },
    Case(
        "process.user", "The process has the user and group of the request",
        source: "api.proto LinuxContainerSecurityContext.run_as_user",
        proves: [
            "CreateContainerRequest.config.linux.security_context.run_as_user.value",
            "CreateContainerRequest.config.linux.security_context.run_as_group.value",
        ]
    ) { trial in
        let text = try await trial.output(of: "echo $(id -u):$(id -g)") {
            $0.linux.securityContext.runAsUser.value = 1001
            $0.linux.securityContext.runAsGroup.value = 1002
        }
        try equal(text, "1001:1002", "user and group")
    },
    Case(
        "process.user-name", "A user's name is looked up in the image",
        source: "api.proto LinuxContainerSecurityContext.run_as_username",
        proves: ["CreateContainerRequest.config.linux.security_context.run_as_username"]
    ) { trial in
        let text = try await trial.output(of: "echo $(id -u):$(id -g)") {
            $0.linux.securityContext.runAsUsername = "www-data"
        }
        try equal(text, "33:33", "user and group")
    },
    Case(
        "process.group-needs-user", "A group without a user is refused", source: "critest security_context_linux.go",
        proves: ["CreateContainerRequest.config.linux.security_context.run_as_group.value"]
    ) { trial in
        let config = trial.containerConfig { $0.linux.securityContext.runAsGroup.value = 1002 }
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(config, in: try await trial.pod()), because: "there is no user")
    },
    Case(
        "process.groups", "Supplemental groups are the process's",
        source: "api.proto LinuxContainerSecurityContext.supplemental_groups",
        proves: ["CreateContainerRequest.config.linux.security_context.supplemental_groups"]
    ) { trial in
        let text = try await trial.output(of: "id -G") { $0.linux.securityContext.supplementalGroups = [1234, 5678] }
        try expect(
            Set(["1234", "5678"]).isSubset(of: Set(text.split(separator: " ").map(String.init))), "groups \(text)")
    },
    Case(
        "process.strict-groups", "With the policy Strict the image adds no groups",
        source: "api.proto SupplementalGroupsPolicy",
        proves: ["CreateContainerRequest.config.linux.security_context.supplemental_groups_policy"]
    ) { trial in
        let text = try await trial.output(of: "grep Groups: /proc/self/status | cut -f2") {
            $0.linux.securityContext.runAsUser.value = 0
            $0.linux.securityContext.supplementalGroups = [1234]
            $0.linux.securityContext.supplementalGroupsPolicy = .strict
        }
        let groups = Set(text.split(separator: " ").map(String.init))
        try expect(groups.contains("1234") && groups.isSubset(of: ["0", "1234"]), "groups \(text)")
    },
    Case(
        "process.default-capabilities", "By default there are few capabilities, none inheritable or ambient",
        source: "containerd pkg/oci/spec.go",
        proves: ["CreateContainer"]
    ) { trial in
        let sets = try await capabilities(trial) { _ in }
        try equal(sets["CapInh"], 0, "inheritable")
        try equal(sets["CapAmb"], 0, "ambient")
        // CAP_SYS_ADMIN 21, CAP_NET_ADMIN 12, CAP_SYS_PTRACE 19, CAP_SYS_MODULE 16.
        for bit in [21, 12, 19, 16] as [UInt64] {
            try equal((sets["CapBnd"] ?? .max) >> bit & 1, 0, "capability \(bit)")
        }
        // CAP_CHOWN 0, CAP_KILL 5, CAP_NET_BIND_SERVICE 10.
        for bit in [0, 5, 10] as [UInt64] { try equal((sets["CapEff"] ?? 0) >> bit & 1, 1, "capability \(bit)") }
    },
    Case(
        "process.add-capability", "Capabilities are added by name, with or without CAP_",
        source: "api.proto Capability.add_capabilities",
        proves: ["CreateContainerRequest.config.linux.security_context.capabilities.add_capabilities"]
    ) { trial in
        let sets = try await capabilities(trial) { $0.addCapabilities = ["NET_ADMIN", "CAP_SYS_PTRACE"] }
        for bit in [12, 19] as [UInt64] { try equal((sets["CapEff"] ?? 0) >> bit & 1, 1, "capability \(bit)") }
    },
    Case(
        "process.drop-capabilities", "ALL drops every capability, before others are added",
        source: "api.proto Capability.drop_capabilities",
        proves: ["CreateContainerRequest.config.linux.security_context.capabilities.drop_capabilities"]
    ) { trial in
        let sets = try await capabilities(trial) {
            $0.dropCapabilities = ["ALL"]
            $0.addCapabilities = ["KILL"]
        }
        try equal(sets["CapEff"], 1 << 5, "effective")
        try equal(sets["CapBnd"], 1 << 5, "bounding")
    },
    Case(
        "process.privileged", "A privileged container has all capabilities of the node's kernel",
        source: "api.proto LinuxContainerSecurityContext.privileged",
        proves: [
            "CreateContainerRequest.config.linux.security_context.privileged",
            "RunPodSandboxRequest.config.linux.security_context.privileged",
        ]
    ) { trial in
        let pod = try await trial.pod { $0.linux.securityContext.privileged = true }
        let text = try await trial.output(of: "grep CapEff /proc/self/status | cut -f2", in: pod) {
            $0.linux.securityContext.privileged = true
        }
        try expect((UInt64(text, radix: 16) ?? 0) >> 21 & 1 == 1, "effective \(text)")
    },
    Case(
        "process.no-new-privileges", "no_new_privs is set on request only",
        source: "api.proto LinuxContainerSecurityContext.no_new_privs",
        proves: ["CreateContainerRequest.config.linux.security_context.no_new_privs"]
    ) { trial in
        for wanted in [true, false] {
            let text = try await trial.output(of: "grep NoNewPrivs /proc/self/status | cut -f2") {
                $0.linux.securityContext.noNewPrivs = wanted
            }
            try equal(text, wanted ? "1" : "0", "NoNewPrivs")
        }
    },
    Case(
        "process.seccomp", "RuntimeDefault filters system calls, Unconfined does not",
        source: "api.proto SecurityProfile",
        proves: ["CreateContainerRequest.config.linux.security_context.seccomp.profile_type"]
    ) { trial in
        for (type, mode) in [(Runtime_V1_SecurityProfile.ProfileType.runtimeDefault, "2"), (.unconfined, "0")] {
            let text = try await trial.output(of: "grep Seccomp: /proc/self/status | cut -f2") {
                $0.linux.securityContext.seccomp.profileType = type
            }
            try equal(text, mode, "Seccomp with \(type)")
        }
    },
    Case(
        "process.seccomp-localhost", "A profile of the node's is applied; one that is missing fails",
        source: "api.proto SecurityProfile.localhost_ref",
        proves: ["CreateContainerRequest.config.linux.security_context.seccomp.localhost_ref"]
    ) { trial in
        let path = trial.directory + "/profile.json"
        try Data(
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}"#
                .utf8
        )
        .write(to: URL(filePath: path))
        let text = try await trial.output(of: "mkdir /tmp/x 2>/dev/null && echo made || echo refused") {
            $0.linux.securityContext.seccomp.profileType = .localhost
            $0.linux.securityContext.seccomp.localhostRef = path
        }
        try equal(text, "refused", "mkdir")
        let config = trial.containerConfig {
            $0.linux.securityContext.seccomp.profileType = .localhost
            $0.linux.securityContext.seccomp.localhostRef = path + ".missing"
        }
        let pod = try await trial.pod()
        guard let made = await trial.answer(of: CRIMethods.createContainer, Trial.request(config, in: pod))
        else { return }
        try await trial.refused(
            CRIMethods.startContainer, .with { $0.containerID = made.containerID }, because: "the profile is missing")
    },
    Case(
        "process.oom-score", "oom_score_adj is that of the request",
        source: "api.proto LinuxContainerResources.oom_score_adj",
        proves: ["CreateContainerRequest.config.linux.resources.oom_score_adj"]
    ) { trial in
        try equal(
            try await trial.output(of: "cat /proc/self/oom_score_adj") { $0.linux.resources.oomScoreAdj = 500 }, "500",
            "oom_score_adj")
    },
    Case(
        "process.umask", "The file mode creation mask is 0022", source: "runtime-spec", proves: ["CreateContainer"]
    ) { trial in try equal(try await trial.output(of: "umask"), "0022", "umask") },
    Case(
        "process.stdin", "Without stdin, standard input is empty", source: "api.proto ContainerConfig.stdin",
        proves: ["CreateContainerRequest.config.stdin"]
    ) { trial in try equal(try await trial.output(of: "cat; echo end"), "end", "output") },
    Case(
        "process.exec-identity", "ExecSync runs as the container's user, in its directory and environment",
        source: "containerd container_execsync.go",
        proves: [
            "ExecSync", "CreateContainerRequest.config.linux.security_context.run_as_user.value",
            "CreateContainerRequest.config.working_dir",
        ]
    ) { trial in
        let container = try await trial.running {
            $0.linux.securityContext.runAsUser.value = 1001
            $0.workingDir = "/tmp"
            $0.envs = [
                .with {
                    $0.key = "ONE"
                    $0.value = .init("1".utf8)
                }
            ]
        }
        try equal(try await trial.sh("echo $(id -u) $PWD $ONE", in: container), "1001 /tmp 1", "identity")
    },
]

private func capabilities(_ trial: Trial, _ change: (inout Runtime_V1_Capability) -> Void) async throws -> [String:
    UInt64]
{
    var wanted = Runtime_V1_Capability()
    change(&wanted)
    let text = try await trial.output(of: "grep Cap /proc/self/status") {
        $0.linux.securityContext.capabilities = wanted
    }
    return Dictionary(
        uniqueKeysWithValues: text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":")
            return parts.count == 2
                ? (String(parts[0]), UInt64(parts[1].drop { $0.isWhitespace }, radix: 16) ?? 0) : nil
        })
}

/// File systems, volumes and devices.
let mountCases: [Case] = [
    Case(
        "mounts.volume", "A volume is the node's directory, writable both ways", source: "api.proto Mount",
        proves: [
            "CreateContainerRequest.config.mounts[].host_path", "CreateContainerRequest.config.mounts[].container_path",
        ]
    ) { trial in
        let volume = try directory(trial, "volume")
        try Data("from the node\n".utf8).write(to: URL(filePath: volume + "/in"))
        let text = try await trial.output(of: "cat /volume/in; echo out > /volume/out") { $0.mounts = [mount(volume)] }
        try equal(text, "from the node", "file")
        try equal(
            FileManager.default.contents(atPath: volume + "/out").map { String(decoding: $0, as: UTF8.self) }, "out\n",
            "file on the node")
    },
    Case(
        "mounts.readonly", "A read-only volume cannot be written", source: "api.proto Mount.readonly",
        proves: ["CreateContainerRequest.config.mounts[].readonly"]
    ) { trial in
        let volume = try directory(trial, "volume")
        let text = try await trial.output(of: "touch /volume/x 2>/dev/null && echo written || echo refused") {
            $0.mounts = [mount(volume)]
            $0.mounts[0].readonly = true
        }
        try equal(text, "refused", "write")
    },
    Case(
        "mounts.file", "A file can be a volume", source: "api.proto Mount.host_path",
        proves: ["CreateContainerRequest.config.mounts[].host_path"]
    ) { trial in
        let file = try directory(trial, "files") + "/one"
        try Data("one\n".utf8).write(to: URL(filePath: file))
        let text = try await trial.output(of: "cat /etc/one") {
            $0.mounts = [mount(file)]
            $0.mounts[0].containerPath = "/etc/one"
        }
        try equal(text, "one", "file")
    },
    Case(
        "mounts.nested", "Volumes inside of each other are mounted from the outside in, in whatever order they come",
        source: "containerd spec_linux_opts.go",
        proves: ["CreateContainerRequest.config.mounts[].container_path"]
    ) { trial in
        let (outer, inner) = (try directory(trial, "outer"), try directory(trial, "inner"))
        try FileManager.default.createDirectory(atPath: outer + "/in", withIntermediateDirectories: true)
        try Data("inner\n".utf8).write(to: URL(filePath: inner + "/file"))
        let text = try await trial.output(of: "cat /volume/in/file") {
            $0.mounts = [mount(inner), mount(outer)]
            $0.mounts[0].containerPath = "/volume/in"
        }
        try equal(text, "inner", "file")
    },
    Case(
        "mounts.recursive-read-only-needs-readonly", "recursive_read_only without readonly is refused",
        source: "api.proto Mount.recursive_read_only",
        proves: ["CreateContainerRequest.config.mounts[].recursive_read_only"]
    ) { trial in
        let volume = try directory(trial, "volume")
        let config = trial.containerConfig {
            $0.mounts = [mount(volume)]
            $0.mounts[0].recursiveReadOnly = true
        }
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(config, in: try await trial.pod()),
            because: "the mount is not read-only")
    },
    Case(
        "mounts.read-only-root", "A read-only root cannot be written; volumes can",
        source: "api.proto LinuxContainerSecurityContext.readonly_rootfs",
        proves: ["CreateContainerRequest.config.linux.security_context.readonly_rootfs"]
    ) { trial in
        let volume = try directory(trial, "volume")
        let text = try await trial.output(
            of: "touch /x 2>/dev/null && echo written || echo refused; touch /volume/x && echo written"
        ) {
            $0.linux.securityContext.readonlyRootfs = true
            $0.mounts = [mount(volume)]
        }
        try equal(text, "refused\nwritten", "writes")
    },
    Case(
        "mounts.own-layer", "What a container writes is its own: no other container of the image sees it",
        source: "image-spec", proves: ["CreateContainer"]
    ) { trial in
        let one = try await trial.running()
        let two = try await trial.start(in: one.pod)
        _ = try await trial.sh("echo x > /only-mine", in: one)
        try equal(try await trial.sh("test -e /only-mine && echo seen || echo hidden", in: two), "hidden", "file")
    },
    Case(
        "mounts.masked-paths", "Masked paths have no content",
        source: "api.proto LinuxContainerSecurityContext.masked_paths",
        proves: ["CreateContainerRequest.config.linux.security_context.masked_paths"]
    ) { trial in
        let text = try await trial.output(
            of:
                "wc -c < /proc/version; ls /proc/fs | wc -l; touch /proc/fs/x 2>/dev/null && echo written || echo refused"
        ) {
            $0.linux.securityContext.maskedPaths = ["/proc/version", "/proc/fs", "/proc/no-such-file"]
        }
        try equal(text, "0\n0\nrefused", "masked")
    },
    Case(
        "mounts.readonly-paths", "Read-only paths cannot be written",
        source: "api.proto LinuxContainerSecurityContext.readonly_paths",
        proves: ["CreateContainerRequest.config.linux.security_context.readonly_paths"]
    ) { trial in
        let text = try await trial.output(
            of: "(echo 1 > /proc/sys/net/ipv4/ip_forward) 2>/dev/null && echo written || echo refused"
        ) {
            $0.linux.securityContext.readonlyPaths = ["/proc/sys"]
        }
        try equal(text, "refused", "write")
    },
    Case(
        "mounts.devices", "The devices of the runtime-spec are there, and no disk",
        source: "runtime-spec config-linux.md", proves: ["CreateContainer"]
    ) { trial in
        let text = try await trial.output(
            of:
                "for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; readlink /dev/fd; ls -l /dev | grep -c ^b"
        )
        try equal(text, "/proc/self/fd\n0", "devices")
    },
    Case(
        "mounts.device", "A device of the node's is given under its path with its permissions",
        source: "api.proto Device",
        proves: [
            "CreateContainerRequest.config.devices[].host_path",
            "CreateContainerRequest.config.devices[].container_path",
            "CreateContainerRequest.config.devices[].permissions",
        ]
    ) { trial in
        let text = try await trial.output(of: "head -c 3 /dev/my-zero | wc -c") {
            $0.devices = [
                .with {
                    $0.hostPath = "/dev/zero"
                    $0.containerPath = "/dev/my-zero"
                    $0.permissions = "r"
                }
            ]
        }
        try equal(text, "3", "bytes")
    },
    Case(
        "mounts.sys-read-only", "/sys and the cgroups are read-only", source: "containerd pkg/oci/spec.go",
        proves: ["CreateContainer"]
    ) { trial in
        let text = try await trial.output(
            of:
                "grep ' /sys ' /proc/mounts | head -1 | cut -d' ' -f4 | cut -d, -f1; mkdir /sys/fs/cgroup/x 2>/dev/null && echo made || echo refused"
        )
        try equal(text, "ro\nrefused", "/sys")
    },
]

private func directory(_ trial: Trial, _ name: String) throws -> String {
    let path = trial.directory + "/" + name
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

private func mount(_ path: String) -> Runtime_V1_Mount {
    .with {
        $0.hostPath = path
        $0.containerPath = "/volume"
    }
}
