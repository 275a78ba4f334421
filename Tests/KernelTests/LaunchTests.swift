import Foundation
import Glibc
import LaunchEngine
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    /// Launches that do not go through, and what a launch does without.
    @Suite struct LaunchTests {
        /// `return ALLOW;`
        static let allowing: Bytes = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]

        /// Where a launch stands that waits in execve(2): steps behind a filter have no names.
        private func stepAtWork(_ plan: ExecPlan) -> UInt32 {
            let index = plan.plan().steps.lastIndex {
                switch $0 {
                case .execute: plan.filter == nil
                case .installSeccompFilter: true
                default: false
                }
            }
            return UInt32(index ?? 0)
        }

        @Test(arguments: [nil, allowing]) func aLaunchThatHangsIsEndedAndNamesItsStep(_ filter: Bytes?) async throws {
            try await withHeldExec(filter, deadlineMilliseconds: 300) { pod, plan, program in
                await #expect(
                    throws: SupervisorError.stepFailed(index: stepAtWork(plan), errno: .timedOut, detail: [])
                ) { _ = try await launch(plan, in: pod) }
                try await demandNothingElse(pod)
                try program.release()
            }
        }

        @Test(arguments: [nil, allowing]) func aLaunchThatIsKilledSaysSo(_ filter: Bytes?) async throws {
            try await withHeldExec(filter) { pod, plan, program in
                async let launched = launch(plan, in: pod)
                try await program.isAwaited()
                let cgroup = try pod.cgroupDescriptor("c/e")
                try cgroup.killCgroup()
                do {
                    _ = try await launched
                    Issue.record("launched")
                } catch let error as SupervisorError {
                    #expect(
                        error
                            == .stepFailed(index: stepAtWork(plan), errno: .noProcess, detail: bytes("signal 9")))
                }
                try program.release()
            }
        }

        /// Frozen from its birth on, it has not come to a step.
        @Test func aLaunchThatIsKilledBeforeItsFirstWordSaysSo() async throws {
            try await withHeldExec { pod, plan, _ in
                let cgroup = try pod.cgroupDescriptor("c/e")
                try cgroup.open("cgroup.freeze", .writeOnly).writeAll(bytes("1"))
                async let launched = launch(plan, in: pod)
                try await eventually("born") { try readFile("\(pod.cgroup)/c/e/cgroup.procs").isEmpty ? nil : () }
                try cgroup.killCgroup()
                do {
                    _ = try await launched
                    Issue.record("launched")
                } catch let error as SupervisorError {
                    guard case .stepFailed(BirthFailure.beforeSteps, .noProcess, bytes("signal 9")) = error else {
                        throw error
                    }
                }
            }
        }

        @Test func aLaunchGoesOnWithoutTheDaemonThatAskedForIt() async throws {
            try await withHeldExec { pod, plan, program in
                async let launched = launch(plan, in: pod)
                try await program.isAwaited()
                try pod.client.close()
                do {
                    _ = try await launched
                    Issue.record("launched")
                } catch let error as SupervisorError {
                    #expect(error == .connectionLost)
                }
                try await pod.connect()
                let phases = try await pod.client.snapshot().map(\.state.phase)
                #expect(phases == [.running, .launching])
                try program.release()
                #expect(try await pod.client.exit(of: bytes("e"), within: .seconds(30))?.exitCode == 0)
            }
        }

        @Test func anExecIsNotHeld() async throws {
            try await withHeldExec { pod, plan, _ in
                var held = plan.plan()
                held.steps.insert(.hold(.beforeExecute), at: 0)
                await #expect(throws: SupervisorError.stepFailed(index: 0, errno: .notSupported, detail: [])) {
                    _ = try await pod.client.launch(
                        held, process: bytes("e"), container: bytes("c"), cgroup: pod.cgroupDescriptor("c/e"))
                }
            }
        }

        /// What is in force is inherited: setrlimit(2) would change nothing. What is only said to be in force stays away too,
        /// which shows that no call is made; what a step has changed is set again.
        @Test func aLimitThatIsInForceIsNotSetAgain() throws {
            let core = UInt32(RLIMIT_CORE.rawValue)
            let real = try ResourceLimit.current(core)
            let other = ResourceLimit(soft: real.soft == 4_096 ? 8_192 : 4_096, hard: real.hard)
            defer { do { try real.apply(to: core) } catch { Issue.record("core limit: \(error)") } }
            try other.apply(to: core)
            let claimed = ResourceLimits.current()
            try real.apply(to: core)

            func step(_ limit: ResourceLimit) -> Step {
                .setResourceLimit(resource: core, soft: limit.soft, hard: limit.hard, clamp: false)
            }
            var runner = StepRunner(proc: try PrivateProc(), limits: claimed)
            try runner.run([step(other)])
            #expect(try ResourceLimit.current(core) == real)
            try runner.run([step(real), step(other)])
            #expect(try ResourceLimit.current(core) == other)
        }

        struct Limits: CustomTestStringConvertible {
            var testDescription: String
            /// Soft and hard number of open files, one after the other.
            var steps: [(soft: UInt64, hard: UInt64)]
            var shown: String
        }

        static let limits: [Limits] = [
            Limits(testDescription: "none", steps: [], shown: "300\n600\n"),
            Limits(testDescription: "those in force", steps: [(300, 600)], shown: "300\n600\n"),
            Limits(testDescription: "another soft one", steps: [(200, 600)], shown: "200\n600\n"),
            Limits(testDescription: "another hard one", steps: [(300, 500)], shown: "300\n500\n"),
            Limits(testDescription: "there and back", steps: [(200, 600), (300, 600)], shown: "300\n600\n"),
        ]

        /// A supervisor may change its own limits at its birth.
        @Test(arguments: limits) func aContainerHasTheLimitsOfItsPlan(_ limits: Limits) async throws {
            func step(_ soft: UInt64, _ hard: UInt64) -> Step {
                .setResourceLimit(resource: UInt32(RLIMIT_NOFILE.rawValue), soft: soft, hard: hard, clamp: false)
            }
            try await withPod(birth: [step(300, 600)]) { pod in
                let outcome = try await pod.shell("ulimit -Sn; ulimit -Hn") { plan in
                    plan.limits = limits.steps.map { step($0.soft, $0.hard) }
                }
                #expect(outcome.stdout == limits.shown)
            }
        }
    }
}
