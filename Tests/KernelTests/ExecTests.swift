import Foundation
import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    @Suite struct ExecTests {
        private func withContainer(_ body: (TestPod) async throws -> Void) async throws {
            try await withPod { pod in
                try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                try await body(pod)
            }
        }

        @Test func outputAndExitCodeComeBack() async throws {
            try await withContainer { pod in
                let result = try await pod.exec(in: "c", "echo out; echo err >&2; exit 7")
                guard case .exited(let record, let stdout, let stderr) = result else { throw TestFailure("timed out") }
                #expect(record.exitCode == 7 && record.kind == .exec)
                #expect(stdout == CollectedOutput(bytes: bytes("out\n"), isTruncated: false, isComplete: true))
                #expect(stderr == CollectedOutput(bytes: bytes("err\n"), isTruncated: false, isComplete: true))
                // An exec that has ended and was collected is forgotten.
                _ = try await eventually("forgotten") { try await pod.client.snapshot().count == 1 ? true : nil }
            }
        }

        @Test func itIsInTheContainersNamespacesAndInACgroupOfItsOwn() async throws {
            try await withContainer { pod in
                let same = """
                    for n in mnt pid net ipc uts cgroup; do
                    [ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n; done
                    """
                let different = try await pod.output(in: "c", same)
                #expect(different == "")
                #expect(try await pod.output(in: "c", "cat /proc/self/cgroup | grep ^0:").hasPrefix("0::/exec-"))
                #expect(try await pod.output(in: "c", "ls / | grep -c lower || true") == "0\n")
            }
        }

        @Test func itHasThreeDescriptorsAndNothingElse() async throws {
            try await withContainer { pod in
                // The fourth is the directory that ls reads.
                let open = try await pod.output(in: "c", "") { $0.arguments = ["/bin/ls", "/proc/self/fd"] }
                #expect(open == "0\n1\n2\n3\n")
            }
        }

        @Test func itsParentIsOutsideOfTheContainer() async throws {
            try await withContainer { pod in
                let parent = try await pod.output(in: "c", "cut -d' ' -f4 /proc/$$/stat")
                #expect(parent == "0\n")
            }
        }

        @Test func outputBeyondTheCapIsDroppedAndTheWriterNeverWaits() async throws {
            try await withContainer { pod in
                let result = try await pod.exec(
                    in: "c", "head -c 3000000 /dev/zero; echo end >&2", outputBytesMax: 100_000)
                guard case .exited(let record, let stdout, let stderr) = result else { throw TestFailure("timed out") }
                #expect(record.exitCode == 0)
                #expect(stdout.bytes.count == 100_000 && stdout.isTruncated && stdout.isComplete)
                #expect(text(stderr.bytes) == "end\n")
            }
        }

        @Test func whatRunsTooLongIsKilledWithAllItsDescendants() async throws {
            try await withContainer { pod in
                let result = try await pod.exec(
                    in: "c", "echo begun; setsid sleep 1000 & yes >/dev/null & sleep 1000", timeout: .milliseconds(300))
                guard case .timedOut(let stdout, _) = result else { throw TestFailure("\(result)") }
                #expect(text(stdout.bytes) == "begun\n" && stdout.isComplete)
                // A dying process leaves its cgroup a moment after it has closed its pipes.
                try await eventually("the exec's cgroup is empty") {
                    try readFile("\(pod.cgroup)/c/exec-1/cgroup.procs").isEmpty ? () : nil
                }
                // The container goes on.
                #expect(try await pod.output(in: "c", "echo alive") == "alive\n")
            }
        }

        @Test func anEndlessWriterIsStoppedByItsTimeout() async throws {
            try await withContainer { pod in
                let result = try await pod.exec(in: "c", "yes", timeout: .milliseconds(300), outputBytesMax: 1 << 20)
                guard case .timedOut(let stdout, _) = result else { throw TestFailure("\(result)") }
                #expect(stdout.bytes.count == 1 << 20 && stdout.isTruncated)
            }
        }

        @Test func aDescendantThatKeepsThePipeIsGivenUpAfterTheDrain() async throws {
            try await withContainer { pod in
                let result = try await pod.exec(in: "c", "sleep 1000 & echo parent", drain: .milliseconds(100))
                guard case .exited(let record, let stdout, _) = result else { throw TestFailure("timed out") }
                #expect(record.exitCode == 0 && text(stdout.bytes) == "parent\n" && !stdout.isComplete)
            }
        }

        @Test func aProgramThatIsMissingIsReported() async throws {
            try await withContainer { pod in
                do {
                    _ = try await pod.exec(in: "c", "") { $0.arguments = ["/no/such"] }
                    Issue.record("executed")
                } catch let error as SupervisorError {
                    guard case .stepFailed(_, .noEntry, bytes("/no/such")) = error else { throw error }
                }
            }
        }

        /// The supervisor keeps nothing of an exec whose exit was all that was asked for, however it ends.
        @Test func anExecUntilItsExitIsForgotten() async throws {
            try await withContainer { pod in
                // More than a supervisor has room for.
                let cgroup = try pod.cgroupDescriptor("c/many")
                let plan = ExecPlan(container: "c", arguments: ["/bin/true"]).plan()
                for index in 0..<1_100 {
                    _ = try await pod.client.execute(
                        plan, process: bytes("many-\(index)"), container: bytes("c"), cgroup: cgroup, timeout: nil,
                        outputBytesMax: 0, drain: .seconds(10))
                }
                #expect(try await pod.output(in: "c", "echo still") == "still\n")
                _ = try await pod.exec(in: "c", "kill -9 $$")
                _ = try? await pod.exec(in: "c", "") { $0.arguments = ["/no/such"] }
                try await demandNothingElse(pod)
                #expect(try await pod.client.snapshot().map(\.state.process) == [bytes("c")])
            }
        }

        /// The shell ends at once; its child keeps both pipes, and goes on with one when the other has been read.
        @Test func whatADescendantWritesToBothStreamsIsRead() async throws {
            try await withContainer { pod in
                let script = "(head -c 1000000 /dev/zero >&2; echo done; head -c 200000 /dev/zero >&2) &"
                let result = try await pod.exec(in: "c", script, outputBytesMax: 1 << 21, drain: .seconds(30))
                guard case .exited(_, let stdout, let stderr) = result else { throw TestFailure("timed out") }
                #expect(stdout == CollectedOutput(bytes: bytes("done\n"), isTruncated: false, isComplete: true))
                #expect(stderr.isComplete && stderr.bytes.count == 1_200_000)
            }
        }

        @Test func anExitedOrUnknownContainerIsRefused() async throws {
            try await withPod { pod in
                _ = try await pod.run("gone") { $0.arguments = ["/bin/true"] }
                for name in ["gone", "never"] {
                    do {
                        _ = try await pod.exec(in: name, "true")
                        Issue.record("executed in \(name)")
                    } catch let error as SupervisorError {
                        #expect(error == .refused(operation: "launch", errno: .noProcess, detail: name))
                    }
                }
            }
        }

        @Test func aTerminalIsHandedOver() async throws {
            try await withContainer { pod in
                var plan = ExecPlan(
                    container: "c", arguments: ["/bin/sh", "-c", "tty; stty size; read line; echo \"got $line\""])
                plan.streams = .passedTerminal
                plan.terminal = (40, 120)
                let launched = try await pod.client.launch(
                    plan.plan(), process: bytes("e"), container: bytes("c"), cgroup: pod.cgroupDescriptor("c/exec-t"))
                guard let terminal = launched.terminal else { throw TestFailure("no terminal") }
                try terminal.fd.setNonBlocking(false)
                try terminal.fd.writeAll(bytes("hello\n"))
                #expect(try await pod.client.exit(of: bytes("e"), within: .seconds(30))?.exitCode == 0)
                var output: Bytes = []
                // The end of a terminal is EIO.
                do throws(Errno) { while true { output += try terminal.fd.read(max: 4_096) } } catch {
                    #expect(error == .inputOutput)
                }
                // The terminal's echo of the line stands wherever it came between them.
                for line in ["/dev/pts/0\r\n", "40 120\r\n", "got hello\r\n"] {
                    #expect(text(output).contains(line), "\(text(output).debugDescription)")
                }
            }
        }

        @Test func manyAtOnceAreAllAnswered() async throws {
            try await withContainer { pod in
                let client = try pod.client
                let cgroups = try (0..<24).map { SharedDescriptor(try pod.cgroupDescriptor("c/exec-\($0)")) }
                let codes = try await withThrowingTaskGroup(of: Int32.self) { group in
                    for (index, cgroup) in cgroups.enumerated() {
                        group.addTask {
                            let plan = ExecPlan(
                                container: "c", arguments: ["/bin/sh", "-c", "echo \(index); exit \(index)"])
                            let result = try await client.execute(
                                plan.plan(), process: bytes("e\(index)"), container: bytes("c"), cgroup: cgroup.fd,
                                timeout: .seconds(60), outputBytesMax: 100, drain: .seconds(10))
                            guard case .exited(let record, let stdout, _) = result, text(stdout.bytes) == "\(index)\n"
                            else {
                                throw TestFailure("\(result)")
                            }
                            return record.exitCode
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(codes.sorted() == Array(0..<24))
            }
        }

        /// Prints what a round trip costs; no figure is demanded here.
        @Test func aRoundTripIsMeasured() async throws {
            try await withContainer { pod in
                let cgroup = try pod.cgroupDescriptor("c/exec-m")
                var plan = ExecPlan(container: "c", arguments: ["/bin/true"])
                plan.streams = .null
                var times: [Duration] = []
                for index in 0..<60 {
                    let begin = ContinuousClock.now
                    _ = try await pod.client.launch(
                        plan.plan(), process: bytes("m\(index)"), container: bytes("c"), cgroup: cgroup)
                    times.append(begin.duration(to: .now))
                    _ = try await pod.client.exit(of: bytes("m\(index)"))
                    try await pod.client.forget(bytes("m\(index)"))
                }
                var asking: [Duration] = []
                for _ in 0..<200 {
                    let begin = ContinuousClock.now
                    _ = try await pod.client.snapshot()
                    asking.append(begin.duration(to: .now))
                }
                print(
                    "exec launch: median \(times.sorted()[30]), best \(times.sorted()[0]);",
                    "snapshot: median \(asking.sorted()[100])")
            }
        }
    }
}
