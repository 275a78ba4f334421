import Foundation
import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    @Suite struct ContainerTests {
        struct Exit: CustomTestStringConvertible {
            var script: String
            var code: Int32
            var testDescription: String { script }
        }

        static let exits: [Exit] = [
            Exit(script: "exit 0", code: 0), Exit(script: "exit 1", code: 1), Exit(script: "exit 255", code: 255),
            Exit(script: "exit 300", code: 44), Exit(script: "sh -c 'kill -9 $$'; exit $?", code: 137),
        ]

        @Test(arguments: exits) func theExitCodeArrivesAndIsOnDisk(_ exit: Exit) async throws {
            try await withPod { pod in
                let outcome = try await pod.run("web") { $0.arguments = ["/bin/sh", "-c", exit.script] }
                #expect(outcome.record.exitCode == exit.code)
                #expect(outcome.record.kind == .container)
                #expect(outcome.record.startedAtNanoseconds <= outcome.record.exitedAtNanoseconds)
                #expect(try ExitRecords.read(bytes("web"), in: pod.directory("exits")) == outcome.record)
                let processes = try await pod.client.snapshot()
                #expect(processes.map(\.state.phase) == [.exited])
                #expect(processes.first?.state.exit == outcome.record)
                try await pod.client.forget(bytes("web"))
                #expect(try await pod.client.snapshot().isEmpty)
            }
        }

        @Test(arguments: [1, 2, 9, 15, 31] as [Int32]) func aSignalEndsAProcessWith128AndItsNumber(_ signal: Int32)
            async throws
        {
            try await withPod { pod in
                let launched = try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                // PID 1 of its namespace takes only SIGKILL from inside, but from outside nothing without a handler either:
                // so the signal goes to a child, except for the one that always works.
                if signal == 9 {
                    #expect(try launched.handle.signal(.kill))
                    #expect(try await pod.finish("c").record.exitCode == 137)
                    #expect(try launched.handle.signal(.kill) == false)
                } else {
                    let result = try await pod.exec(in: "c", "sh -c 'kill -\(signal) $$'; exit $?")
                    guard case .exited(let record, _, _) = result else { throw TestFailure("timed out") }
                    #expect(record.exitCode == 128 + signal)
                }
            }
        }

        @Test func itsRootIsTheOverlayAndWhatItWritesIsInTheUpperDirectory() async throws {
            try await withPod { pod in
                let outcome = try await pod.run("c") {
                    $0.arguments = ["/bin/sh", "-c", "echo new > /tmp/file; rm /etc/group; ls /; stat -f -c %T /"]
                }
                #expect(outcome.record.exitCode == 0, "\(outcome.stderr)")
                #expect(try pod.files.text("containers/c/upper/tmp/file") == "new\n")
                var whiteout = stat()
                #expect(lstat(pod.files.path("containers/c/upper/etc/group"), &whiteout) == 0 && whiteout.st_rdev == 0)
                #expect(FileManager.default.fileExists(atPath: pod.files.path("lower/etc/group")))
                #expect(outcome.stdout.contains("bin\ndev\netc\n"))
            }
        }

        @Test func theMountsOfAContainerAreNotOnTheNode() async throws {
            try await withPod { pod in
                let before = try MountInfo.current().count
                try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                #expect(try MountInfo.current().count == before)
            }
        }

        @Test func itSeesItsOwnNamespacesOnly() async throws {
            try await withPod { pod in
                let launched = try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                for name in ["mnt", "pid", "cgroup", "net", "ipc", "uts"] {
                    #expect(try link("/proc/\(launched.pid)/ns/\(name)") != link("/proc/self/ns/\(name)"), "\(name)")
                }
                let supervisor = try pod.client.supervisorPID
                for name in ["net", "ipc", "uts"] {
                    #expect(
                        try link("/proc/\(launched.pid)/ns/\(name)") == link("/proc/\(supervisor)/ns/\(name)"),
                        "\(name)")
                }
                #expect(try await pod.output(in: "c", "cat /proc/1/cmdline | tr '\\0' ' '") == "/bin/sleep 1000 ")
                #expect(try await pod.output(in: "c", "cat /proc/1/cgroup | grep ^0:") == "0::/\n")
                #expect(try await pod.output(in: "c", "ls /proc | grep -c '^[0-9]*$'") != "0\n")
            }
        }

        @Test func theProgramIsFoundInItsSearchPath() async throws {
            try await withPod { pod in
                let outcome = try await pod.run {
                    $0.arguments = ["echo", "found"]
                    $0.searchPath = ["/nowhere", "/etc", "/bin"]
                }
                #expect(outcome.stdout == "found\n")
            }
        }

        /// The search is the program's user's: a privilege that is there for the launch finds nothing more.
        @Test(arguments: [nil, LaunchTests.allowing]) func aDirectoryThatIsClosedToTheUserIsPassed(_ filter: Bytes?)
            async throws
        {
            try await withPod { pod in
                try pod.files.directory("lower/closed")
                try pod.files.write("", to: "lower/closed/echo", mode: 0o755)
                #expect(chmod(pod.files.path("lower/closed"), 0o700) == 0)
                func plan(_ arguments: [String], _ plan: inout ContainerPlan) {
                    plan.arguments = arguments
                    plan.searchPath = ["/nowhere", "/closed", "/bin"]
                    plan.user = (1_000, 1_000, [])
                    plan.filter = filter
                }
                #expect(try await pod.run { plan(["echo", "found"], &$0) }.stdout == "found\n")
                do {
                    _ = try await pod.run { plan(["no"], &$0) }
                    Issue.record("launched")
                } catch let error as SupervisorError {
                    guard case .stepFailed(_, .permissionDenied, bytes("no")) = error else { throw error }
                }
            }
        }

        struct BadProgram: CustomTestStringConvertible {
            var testDescription: String
            var arguments: [String]
            var errno: Errno
        }

        static let badPrograms: [BadProgram] = [
            BadProgram(testDescription: "missing by path", arguments: ["/bin/no"], errno: .noEntry),
            BadProgram(testDescription: "missing by name", arguments: ["no"], errno: .noEntry),
            BadProgram(testDescription: "no program", arguments: ["/etc/passwd"], errno: .permissionDenied),
            BadProgram(testDescription: "a directory", arguments: ["/etc"], errno: .permissionDenied),
            BadProgram(testDescription: "a script without an interpreter", arguments: ["/bin/broken"], errno: .noEntry),
            BadProgram(testDescription: "noise", arguments: ["/bin/noise"], errno: .executableFormat),
        ]

        @Test(arguments: badPrograms) func aProgramThatCannotRunIsReported(_ bad: BadProgram) async throws {
            try await withPod { pod in
                try pod.files.write("#!/nowhere\n", to: "lower/bin/broken", mode: 0o755)
                try pod.files.write("\u{1}\u{2}noise", to: "lower/bin/noise", mode: 0o755)
                let plan = try pod.container("c", bad.arguments)
                do {
                    try await pod.start("c", plan)
                    Issue.record("launched")
                } catch let error as SupervisorError {
                    let index = UInt32(plan.plan().steps.count - 1)
                    #expect(error == .stepFailed(index: index, errno: bad.errno, detail: bytes(bad.arguments[0])))
                }
                // Nothing of it is left, and its name is free.
                #expect(try await pod.client.snapshot().isEmpty)
                #expect(try await pod.run("c") { $0.arguments = ["/bin/true"] }.record.exitCode == 0)
            }
        }

        @Test func twoProcessesOfOneNameAreRefused() async throws {
            try await withPod { pod in
                try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                do {
                    try await pod.start("c", pod.container("c"))
                    Issue.record("launched twice")
                } catch let error as SupervisorError {
                    #expect(error == .refused(operation: "launch", errno: .alreadyExists, detail: "c"))
                }
                await #expect(throws: SupervisorError.self) { try await pod.client.forget(bytes("c")) }
                await #expect(throws: SupervisorError.self) { try await pod.client.shutdown() }
            }
        }

        @Test func whatAContainerLeavesRunningDiesWithIt() async throws {
            try await withPod { pod in
                let outcome = try await pod.shell(
                    "setsid sleep 1000 & setsid sh -c 'trap \"\" TERM HUP; sleep 1000' & exit 3")
                #expect(outcome.record.exitCode == 3)
                let procs = try await eventually("an empty cgroup") {
                    try readFile("\(pod.cgroup)/c1/cgroup.procs").isEmpty ? true : nil
                }
                #expect(procs)
            }
        }

        @Test func cgroupKillIsRecordedAsSignalNine() async throws {
            try await withPod { pod in
                try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                try pod.cgroupDescriptor("c").killCgroup()
                #expect(try await pod.finish("c").record.exitCode == 137)
            }
        }

        @Test func manyContainersEndInAnyOrder() async throws {
            try await withPod { pod in
                let names = (0..<12).map { "c\($0)" }
                for name in names { try await pod.start(name, pod.container(name, ["/bin/sleep", "1000"])) }
                let processes = try await pod.client.snapshot()
                #expect(processes.count == names.count && processes.allSatisfy { $0.state.phase == .running })
                for process in processes.shuffled() { #expect(try process.handle?.signal(.kill) == true) }
                for name in names { #expect(try await pod.finish(name).record.exitCode == 137) }
            }
        }
    }
}
