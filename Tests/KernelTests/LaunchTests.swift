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
    }
}
