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

        @Test(arguments: [nil, allowing]) func aLaunchThatHangsIsEndedAndNamesItsStep(_ filter: Bytes?) async throws {
            try await withPod { pod in
                let program = try HeldProgram(in: pod)
                try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                var plan = ExecPlan(container: "c", arguments: [program.path])
                plan.filter = filter
                plan.hasNoNewPrivileges = true
                plan.deadlineMilliseconds = 300
                // Steps behind a filter have no names.
                let named = plan.plan().steps.lastIndex {
                    switch $0 {
                    case .execute: filter == nil
                    case .installSeccompFilter: true
                    default: false
                    }
                }
                do {
                    _ = try await pod.exec(in: "c", "") { $0 = plan }
                    Issue.record("launched")
                } catch let error as SupervisorError {
                    #expect(error == .stepFailed(index: UInt32(named ?? 0), errno: .timedOut, detail: []))
                }
                try await eventually("nothing of it is left") {
                    try readFile("\(pod.cgroup)/c/exec-1/cgroup.procs").isEmpty ? () : nil
                }
                try program.release()
                #expect(try await pod.output(in: "c", "echo alive") == "alive\n")
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
