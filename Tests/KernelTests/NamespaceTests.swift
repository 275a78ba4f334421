import Foundation
import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    @Suite struct PIDNamespaceTests {
        private func startInit(_ pod: TestPod) async throws -> LaunchedProcess {
            let filter: [Step] = []
            let plan = LaunchPlan(
                kind: .podInit, pidNamespace: .new, deadlineMilliseconds: 10_000,
                steps: [
                    .setOOMScoreAdj(value: 0, clamp: true), .resetScheduling,
                    .makeFilesystem(
                        register: 0, type: bytes("tmpfs"), options: [], attributes: [.readonly], stage: .one),
                    .enterMountNamespace(newCgroupNamespace: true),
                    .attachRoot(register: 0, anchor: bytes(pod.files.path("anchor"))), .pivotRoot, .setUmask(0o022),
                    .newSessionKeyring, .setBoundingCapabilities(0), .setUser(uid: 65_534, gid: 65_534, groups: []),
                    .setCapabilities(effective: 0, permitted: 0, inheritable: 0, ambient: 0), .setNoNewPrivileges,
                ] + filter + [.executePodInit])
            return try await pod.client.launch(plan, process: bytes("init"), cgroup: pod.cgroupDescriptor("init"))
        }

        @Test func containersShareTheNamespaceOfThePodsInit() async throws {
            try await withPod { pod in
                let initial = try await startInit(pod)
                for name in ["a", "b"] {
                    var plan = try pod.container(name, ["/bin/sleep", name == "a" ? "1001" : "1002"])
                    plan.pidNamespace = .podInit
                    try await pod.start(name, plan)
                }
                let seen = try await pod.output(
                    in: "b", "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done")
                #expect(seen.contains("/bin/sleep 1001") && seen.contains("/bin/sleep 1002"))
                #expect(try await pod.output(in: "b", "cat /proc/1/comm") == "swiftlet-launch\n")
                // Orphans come to the init, which reaps them.
                _ = try await pod.output(in: "b", "(sh -c 'usleep 1000' &) ; true")
                _ = try await eventually("no zombie") {
                    try await pod.output(in: "b", "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null || true").isEmpty
                        ? true : nil
                }
                // Its exit is the pod's end: the kernel kills all members.
                #expect(try initial.handle.signal(.terminate))
                #expect(try await pod.client.exit(of: bytes("init"), within: .seconds(30))?.exitCode == 0)
                for name in ["a", "b"] { #expect(try await pod.finish(name).record.exitCode == 137) }
            }
        }

        @Test func theInitIsNobodyWithNothing() async throws {
            try await withPod { pod in
                let initial = try await startInit(pod)
                let status = try String(decoding: readFile("/proc/\(initial.pid)/status"), as: UTF8.self)
                for line in [
                    "Uid:\t65534\t65534\t65534\t65534", "CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000",
                    "NoNewPrivs:\t1", "Threads:\t1",
                ] { #expect(status.contains(line + "\n"), "\(line)") }
                let fds = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(initial.pid)/fd").sorted()
                // 0 to 2; the signals are waited for without a descriptor.
                #expect(fds == ["0", "1", "2"])
                #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(initial.pid)/root").isEmpty)
                let mounts = try MountInfo.parse(readFile("/proc/\(initial.pid)/mountinfo"))
                #expect(mounts.map { text($0.mountPoint) } == ["/"])
                #expect(mounts.first.map { text($0.options).hasPrefix("ro") } == true)
            }
        }

        @Test func aContainerSeesNothingOfTheNodeThroughTheInit() async throws {
            try await withPod { pod in
                _ = try await startInit(pod)
                var plan = try pod.container("c", ["/bin/sleep", "1000"])
                plan.pidNamespace = .podInit
                plan.bounding = TestHost.capabilities
                try await pod.start("c", plan)
                // With every capability: what it can reach is the empty root.
                let seen = try await pod.output(
                    in: "c", "ls -A /proc/1/root/ 2>&1; ls /proc/1/fd; readlink /proc/1/cwd || true"
                ) {
                    $0.bounding = TestHost.capabilities
                }
                #expect(!seen.contains("lower") && !seen.contains("etc") && !seen.contains("socket"), "\(seen)")
            }
        }

        @Test func aContainerCanBeBornInAnothersNamespace() async throws {
            try await withPod { pod in
                try await pod.start("target", pod.container("target", ["/bin/sleep", "1003"]))
                var plan = try pod.container(
                    "debug", ["/bin/sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; cat /etc/mark"])
                try pod.files.directory("containers/debug/upper/etc")
                try pod.files.write("debug\n", to: "containers/debug/upper/etc/mark")
                plan.pidNamespace = .container(bytes("target"))
                try await pod.start("debug", plan)
                #expect(try await pod.finish("debug").stdout == "/bin/sleep 1003 debug\n")
                #expect(
                    try await pod.client.snapshot().contains {
                        $0.state.process == bytes("target") && $0.state.phase == .running
                    })
            }
        }

        @Test func withoutAnInitOrTargetTheLaunchIsRefused() async throws {
            try await withPod { pod in
                for namespace in [LaunchPlan.PIDNamespace.podInit, .container(bytes("no"))] {
                    do {
                        _ = try await pod.run { $0.pidNamespace = namespace }
                        Issue.record("launched")
                    } catch let error as SupervisorError {
                        guard case .refused(_, .noProcess, _) = error else { throw error }
                    }
                }
            }
        }

        @Test func theNodesNamespaceCanBeUsed() async throws {
            try await withPod { pod in
                var plan = try pod.container("c", ["/bin/sleep", "1000"])
                plan.pidNamespace = .host
                let launched = try await pod.start("c", plan)
                #expect(try link("/proc/\(launched.pid)/ns/pid") == link("/proc/self/ns/pid"))
                #expect(try launched.handle.signal(.terminate))
                #expect(try await pod.finish("c").record.exitCode == 143)
            }
        }
    }
}
