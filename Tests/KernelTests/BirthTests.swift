import Foundation
import Glibc
import LaunchProtocol
import Linux
import Model
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    @Suite struct BirthTests {
        @Test func aSupervisorIsBornConnectsAndEndsWhenAsked() async throws {
            try await withPod { pod in
                let client = try pod.client
                #expect(try await client.snapshot().isEmpty)
                let status = try String(decoding: readFile("/proc/\(client.supervisorPID)/status"), as: UTF8.self)
                // Adopted: no child of the daemon's.
                #expect(!status.contains("PPid:\t\(getpid())\n"))
                #expect(status.contains("Threads:\t1\n"))
                let cgroup = try String(decoding: readFile("/proc/\(client.supervisorPID)/cgroup"), as: UTF8.self)
                #expect(cgroup.contains("0::/\(TestHost.mark)-\(pod.id.short)/supervisor\n"))
                try await client.shutdown()
                #expect(try client.supervisor.hasEnded())
                #expect(!FileManager.default.fileExists(atPath: pod.files.path("pod/ctl")))
            }
        }

        @Test func theSupervisorsOwnNamespacesAreThePods() async throws {
            try await withPod(birth: [
                .writeSysctl(path: bytes("net/ipv4/ip_unprivileged_port_start"), value: bytes("7"))
            ]) {
                pod in
                let pid = try pod.client.supervisorPID
                for name in ["net", "ipc", "uts"] {
                    #expect(try link("/proc/\(pid)/ns/\(name)") != link("/proc/self/ns/\(name)"))
                }
                for name in ["mnt", "pid", "user", "cgroup"] {
                    #expect(try link("/proc/\(pid)/ns/\(name)") == link("/proc/self/ns/\(name)"))
                }
                var pin = stat()
                stat(pod.files.path("netns"), &pin)
                #expect(try link("/proc/\(pid)/ns/net") == "net:[\(pin.st_ino)]")
                let outcome = try await pod.shell(
                    "hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ip addr show lo")
                #expect(outcome.stdout.hasPrefix("test-pod\n7\n"))
                #expect(outcome.stdout.contains("LOOPBACK,UP"))
            }
        }

        @Test func theSupervisorHoldsNothingOfTheDaemons() async throws {
            try await withPod { pod in
                let pid = try pod.client.supervisorPID
                let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
                    .map { try link("/proc/\(pid)/fd/\($0)") }
                let strangers = open.filter { path in
                    !path.hasPrefix(pod.files.path) && !path.hasPrefix("socket:") && !path.hasPrefix("anon_inode:")
                        && path != "/dev/null" && path != "/memfd:swiftlet-launch (deleted)" && path != "/"
                }
                #expect(strangers.isEmpty, "\(open)")
                #expect(try readFile("/proc/\(pid)/environ").isEmpty)
                let status = try String(decoding: readFile("/proc/\(pid)/status"), as: UTF8.self)
                // What it does not hear: signals 1 to 3, 10, and 12 to 15.
                #expect(status.contains("SigBlk:\t0000000000007a07\n"))
                #expect(status.contains("SigIgn:\t0000000000000000\n"))
                #expect(try link("/proc/\(pid)/cwd") == "/")
            }
        }

        struct Failure: CustomTestStringConvertible {
            var testDescription: String
            var step: Step
            var errno: Errno
        }

        static let failures: [Failure] = [
            Failure(
                testDescription: "pin on a missing file",
                step: .pinNamespace(name: bytes("net"), path: bytes("/nonexistent/pin")), errno: .noEntry),
            Failure(
                testDescription: "unknown sysctl", step: .writeSysctl(path: bytes("net/no/such"), value: bytes("1")),
                errno: .noEntry),
            Failure(
                testDescription: "sysctl outside of sys",
                step: .writeSysctl(path: bytes("../1/oom_adj"), value: bytes("1")),
                errno: .crossDevice),
            Failure(
                testDescription: "hostname too long", step: .setHostname(Bytes(repeating: 0x61, count: 65)),
                errno: .invalidArgument),
        ]

        @Test(arguments: failures) func aFailingStepIsReportedAndNothingStays(_ failure: Failure) async throws {
            try await withNewPod { pod in
                let plan = pod.birthPlan([failure.step])
                do {
                    try await pod.spawn(plan)
                    Issue.record("born in spite of it")
                } catch let error as SpawnError {
                    guard case .birthFailed(let report) = error else { throw error }
                    #expect(report.stepIndex == UInt32(plan.steps.count - 1))
                    #expect(report.errno == failure.errno.number)
                }
                #expect(!FileManager.default.fileExists(atPath: pod.files.path("pod/ctl")))
            }
        }

        @Test func aNameThatIsTakenFailsTheBirth() async throws {
            try await withNewPod { pod in
                try pod.files.write("", to: "pod/ctl")
                do {
                    try await pod.spawn()
                    Issue.record("born on top of a file")
                } catch let error as SpawnError {
                    guard case .birthFailed(let report) = error else { throw error }
                    #expect(report.stepIndex == BirthFailure.afterSteps && report.errno == EADDRINUSE)
                }
            }
        }

        /// A pidfd that the daemon holds too stays in the epoll set when it is closed here, and ready for ever.
        @Test func aSupervisorWatchesNothingOfProcessesThatHaveEnded() async throws {
            try await withPod { pod in
                let pid = try pod.client.supervisorPID
                let before = try watched(by: pid)
                let container = try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                #expect(try watched(by: pid) > before)
                _ = try await pod.output(in: "c", "echo")
                _ = try container.handle.signal(.kill)
                _ = try await pod.finish("c")
                #expect(try watched(by: pid) == before)
                withExtendedLifetime(container) {}
            }
        }

        /// Entries of the process's epoll sets (proc_pid_fdinfo(5)).
        private func watched(by pid: Int32) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fdinfo").reduce(0) { sum, name in
                let text = try String(decoding: readFile("/proc/\(pid)/fdinfo/\(name)"), as: UTF8.self)
                return sum + text.split(separator: "\n").count { $0.hasPrefix("tfd:") }
            }
        }

        @Test func theWritableProgramOnDiskIsNotWhatRuns() async throws {
            try await withPod { pod in
                let pid = try pod.client.supervisorPID
                #expect(try link("/proc/\(pid)/exe") == "/memfd:swiftlet-launch (deleted)")
                // Sealed: not even root can write to it.
                #expect(open("/proc/\(pid)/exe", O_WRONLY) == -1 && (errno == EPERM || errno == ETXTBSY))
            }
        }

        @Test func anotherListenerInThePodsPlaceIsRefused() async throws {
            try await withPod { pod in
                try pod.client.close()
                unlink(pod.files.path("pod/ctl"))
                let directory = try pod.directory("pod")
                let impostor = try PacketListener(name: Path(Birth.socketName), in: directory, mode: 0o600)
                let pool = BlockingPool(name: "impostor", threadsMax: 1)
                let shared = SharedDescriptor(try impostor.fd.duplicate())
                let podID = pod.id
                let supervisor = try pod.client.supervisorPID
                async let served: Void = pool.run {
                    _ = try shared.fd.waitReadable(milliseconds: 10_000)
                    let listener = shared
                    let socket = accept(listener.fd.withRaw { $0 }, nil, nil)
                    let peer = PacketSocket(OwnedFD(taking: socket))
                    // It knows the pod and lies about its process.
                    let hello = Reply.hello(podID: bytes(podID.text), supervisorPID: supervisor, version: 1)
                    try peer.send(try Frame.encode(hello, id: 0))
                    _ = try peer.receive(max: 16)
                }
                do {
                    try await pod.connect()
                    Issue.record("the impostor was believed")
                } catch let error as SupervisorError {
                    guard case .wrongPeer = error else { throw error }
                }
                try await served
            }
        }
    }
}

func link(_ path: String) throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: path)
}
