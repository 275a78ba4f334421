import Foundation
import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    /// Members of a container that run in the memory of the process outside until they execute their program.
    @Suite struct SharedMemoryTests {
        private static let tracing: UInt64 = 1 << 19

        /// Processes of the exec `e`: while it waits in execve(2) there are two only where the memory is shared, for who called
        /// is gone at once where it was copied.
        private func processes(_ pod: TestPod) throws -> [Int32] {
            try String(decoding: readFile("\(pod.cgroup)/c/e/cgroup.procs"), as: UTF8.self).split(separator: "\n")
                .compactMap { Int32($0) }
        }

        /// The number in the container of the one process of `e` that is in it.
        private func member(_ pod: TestPod) throws -> (outside: Int32, inside: Int32)? {
            for pid in try processes(pod) {
                let status = try String(decoding: readFile("/proc/\(pid)/status"), as: UTF8.self)
                let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
                let numbers = (line ?? "").split(separator: "\t").dropFirst().compactMap { Int32($0) }
                if numbers.count == 2 { return (numbers[0], numbers[1]) }
            }
            return nil
        }

        @Test func theProcessOutsideWaitsForAMemberThatSharesItsMemory() async throws {
            try await withHeldExec { pod, plan, program in
                async let launched = launch(plan, in: pod)
                try await program.isAwaited()
                #expect(try processes(pod).count == 2)
                try program.release()
                let pid = try await launched.pid
                #expect(try await pod.client.exit(of: bytes("e"), within: .seconds(30))?.exitCode == 0)
                #expect(pid > 0)
            }
        }

        /// Its root, with all capabilities that it has, cannot look into the member, which it can do with its own processes.
        @Test(arguments: [nil, LaunchTests.allowing]) func aContainerCannotReachTheMemberBeforeItsProgramRuns(
            _ filter: Bytes?
        ) async throws {
            try await withHeldExec(filter) { pod, plan, program in
                async let launched = launch(plan, in: pod)
                try await program.isAwaited()
                guard let inside = try member(pod)?.inside else { throw TestFailure("no member") }
                func reached(_ pid: Int32) async throws -> String {
                    let script = """
                        cd /proc/\(pid); for f in maps mem environ auxv; do (: < $f) 2>/dev/null && echo $f; done; \
                        (: >> mem) 2>/dev/null && echo write; for f in exe cwd root fd/0; do readlink $f; done; true
                        """
                    return try await pod.output(in: "c", script)
                }
                // The control: one of its own is open to it.
                #expect(try await reached(1).hasPrefix("maps\nmem\nenviron\nauxv\nwrite\n/"))
                let found = try await reached(inside)
                #expect(found == "")
                try program.release()
                _ = try await launched
                _ = try await pod.client.exit(of: bytes("e"), within: .seconds(30))
            }
        }

        @Test(.enabled(if: TestHost.hasCapability(19))) func whoMayTraceGetsACopy() async throws {
            try await withHeldExec { pod, plan, program in
                var plan = plan
                plan.bounding |= Self.tracing
                try await demandCopy(pod, plan, program)
            }
        }

        /// A container in the PID namespace of another may have been given more.
        @Test func whereAnotherContainerLivesTooThereIsACopy() async throws {
            try await withHeldExec { pod, plan, program in
                var guest = try pod.container("guest", ["/bin/true"])
                guest.pidNamespace = .container(bytes("c"))
                try await pod.start("guest", guest)
                _ = try await pod.finish("guest")
                try await demandCopy(pod, plan, program)
            }
        }

        /// `if (nr == clone && flags & CLONE_VFORK) return ERRNO(EPERM); return ALLOW;` on x86-64.
        @Test func aFilterThatKnowsNoSuchCloneGetsACopy() async throws {
            func instruction(_ code: UInt16, _ jt: UInt8, _ jf: UInt8, _ k: UInt32) -> Bytes {
                [UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8), jt, jf]
                    + (0..<4).map { UInt8(truncatingIfNeeded: k >> ($0 * 8)) }
            }
            let filter =
                instruction(0x20, 0, 0, 0) + instruction(0x15, 0, 3, 56) + instruction(0x20, 0, 0, 16)
                + instruction(0x45, 0, 1, 0x4000) + instruction(0x06, 0, 0, 0x0005_0001)
                + instruction(0x06, 0, 0, 0x7fff_0000)
            try await withHeldExec(filter) { pod, plan, program in try await demandCopy(pod, plan, program) }
        }

        private func demandCopy(_ pod: TestPod, _ plan: ExecPlan, _ program: HeldProgram) async throws {
            async let launched = launch(plan, in: pod)
            try await program.isAwaited()
            try await eventually("the process outside is gone") { try processes(pod).count == 1 ? () : nil }
            try program.release()
            _ = try await launched
            #expect(try await pod.client.exit(of: bytes("e"), within: .seconds(30))?.exitCode == 0)
        }

        @Test func aContainerThatJoinsEndsALaunchThatSharesItsMemory() async throws {
            try await withHeldExec { pod, plan, program in
                async let launched = launch(plan, in: pod)
                try await program.isAwaited()
                var guest = try pod.container("guest", ["/bin/true"])
                guest.pidNamespace = .container(bytes("c"))
                try await pod.start("guest", guest)
                do {
                    _ = try await launched
                    Issue.record("launched")
                } catch let error as SupervisorError {
                    guard case .stepFailed(_, .canceled, _) = error else { throw error }
                }
                _ = try await pod.finish("guest")
                try program.release()
            }
        }

        @Test func aMemberThatIsKilledAloneIsTold() async throws {
            try await withHeldExec { pod, plan, program in
                async let launched = launch(plan, in: pod)
                try await program.isAwaited()
                guard let pid = try member(pod)?.outside else { throw TestFailure("no member") }
                kill(pid, SIGKILL)
                do {
                    _ = try await launched
                    // It has closed its files and has no status yet: then that comes as the program's.
                    #expect(try await pod.client.exit(of: bytes("e"), within: .seconds(30))?.exitCode == 137)
                } catch let error as SupervisorError {
                    guard case .stepFailed(_, .noProcess, bytes("signal 9")) = error else { throw error }
                }
                try program.release()
            }
        }

        /// A container that signals the number that comes next hits a member that has not said a word. It is found and reaped
        /// all the same: the end of the container would wait for it.
        @Test(arguments: ["STOP", "KILL"]) func aMemberThatIsStoppedAtOnceIsFound(_ signal: String) async throws {
            try await withHeldExec(deadlineMilliseconds: 500) { pod, plan, program in
                try program.release()
                // Numbers are given in turn.
                let attacker =
                    "while :; do for i in 1 2 3; do kill -\(signal) $(($$ + i)) 2>/dev/null; done; done"
                var attack = ExecPlan(container: "c", arguments: ["/bin/sh", "-c", attacker])
                attack.streams = .null
                _ = try await pod.client.launch(
                    attack.plan(), process: bytes("attack"), container: bytes("c"),
                    cgroup: pod.cgroupDescriptor("c/attack"))
                do {
                    _ = try await launch(plan, in: pod)
                    _ = try await pod.client.exit(of: bytes("e"), within: .milliseconds(500))
                } catch let error as SupervisorError {
                    guard case .stepFailed(_, let errno, _) = error, errno == .timedOut || errno == .noProcess else {
                        throw error
                    }
                }
                try pod.cgroupDescriptor("c/e").killCgroup()
                try pod.cgroupDescriptor("c/attack").killCgroup()
            }
        }
    }
}
