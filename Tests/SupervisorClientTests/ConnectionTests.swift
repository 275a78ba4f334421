import Glibc
import LaunchProtocol
import Linux
import Model
@testable import SupervisorClient
import Synchronization
import TestKit
import Testing

@Suite struct ConnectionTests {
    @Test func answersGoToTheRequestsThatAskedWhateverTheirOrder() async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                let first = try client.receive()
                let second = try client.receive()
                for (id, request, _) in [second, first] {
                    guard case .closeStdin(let name) = request else { throw TestFailure("another request") }
                    try client.send(name == bytes("good") ? .done : .refused(errno: 2, detail: bytes("gone")), id: id)
                }
            } body: { connection in
                async let bad: Void = connection.closeStdin(of: bytes("bad"))
                async let good: Void = connection.closeStdin(of: bytes("good"))
                try await good
                do {
                    try await bad
                    Issue.record("the refusal is lost")
                } catch let error as SupervisorError {
                    #expect(error == .refused(operation: "close stdin", errno: .noEntry, detail: "gone"))
                }
            }
        }
    }

    @Test func aSnapshotCollectsItsProcesses() async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            let running = ProcessState(
                process: bytes("a"), kind: .container, phase: .running, pid: 5, startedAtNanoseconds: 7)
            let ended = ProcessState(
                process: bytes("b"), kind: .container, phase: .exited, pid: 6, startedAtNanoseconds: 8,
                exit: record("b", code: 3))
            try await fake.talk(on: reactor) { client in
                let (id, _, _) = try client.receive()
                let own = try Pidfd.open(pid: getpid())
                try client.send(.container(running), id: id, with: own.fd)
                try client.send(.container(ended), id: id)
                try client.send(.snapshotEnd, id: id)
            } body: { connection in
                let processes = try await connection.snapshot()
                #expect(processes.map(\.state) == [running, ended])
                #expect(try processes.first?.handle?.hasEnded() == false)
                #expect(processes.last?.handle == nil)
                // What the snapshot says of an exit answers a later question.
                #expect(try await connection.exit(of: bytes("b"))?.exitCode == 3)
            }
        }
    }

    @Test func anExitThatComesBeforeTheQuestionIsKept() async throws {
        let fake = try FakeSupervisor()
        let log = EventLog()
        try await withReactor { reactor in
            try await fake.talk(on: reactor, events: log.note) { client in
                try client.send(.exited(record("early", code: 9)), id: 0)
                let (id, _, _) = try client.receive()
                try client.send(.done, id: id)
            } body: { connection in
                #expect(try await connection.exit(of: bytes("early"))?.exitCode == 9)
                try await connection.forget(bytes("early"))
                #expect(try await connection.exit(of: bytes("early"), within: .milliseconds(1)) == nil)
                #expect(log.all == ["exited early 9"])
            }
            // Closing is no loss.
            #expect(log.all == ["exited early 9"])
        }
    }

    @Test func aLostConnectionFailsAllThatWaits() async throws {
        let fake = try FakeSupervisor()
        let log = EventLog()
        try await withReactor { reactor in
            async let served: Void = fake.serve { client in
                try client.send(try fake.hello, id: 0)
                _ = try client.receive()
            }
            let connection = try await fake.connect(on: reactor, events: log.note)
            async let exit = connection.exit(of: bytes("x"))
            await #expect(throws: SupervisorError.connectionLost) { try await connection.snapshot() }
            do {
                _ = try await exit
                Issue.record("an exit of nobody")
            } catch let error as SupervisorError { #expect(error == .connectionLost) }
            await #expect(throws: SupervisorError.connectionLost) { try await connection.snapshot() }
            try await served
            #expect(log.all == ["lost"])
        }
    }

    @Test func aRequestThatIsNotAnsweredEndsByItsDeadlineAndTheLateAnswerGoesNowhere() async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            let plan = LaunchPlan(kind: .container, deadlineMilliseconds: 0, steps: [])
            try await fake.talk(on: reactor) { client in
                let (late, _, count) = try client.receive()
                #expect(count == 3)
                let (id, _, _) = try client.receive()
                let own = try Pidfd.open(pid: getpid())
                try client.send(
                    .launched(process: bytes("c"), pid: 1, startedAtNanoseconds: 1), id: late, with: own.fd)
                try client.send(.done, id: id)
            } body: { connection in
                var slots = DescriptorTable()
                slots.append(try OwnedFD.open("/dev/null", .writeOnly))
                let deadline = SupervisorError.deadlineExceeded(operation: "launch")
                do {
                    _ = try await connection.launch(
                        plan, process: bytes("c"), cgroup: fake.directory, slots: slots, margin: .milliseconds(20))
                    Issue.record("launched without an answer")
                } catch let error as SupervisorError { #expect(error == deadline) }
                try await connection.closeStdin(of: bytes("c"))
            }
        }
    }

    @Test func requestsThatTheSocketDoesNotTakeAreSentLaterAndTheirNumberIsBounded() async throws {
        let fake = try FakeSupervisor()
        let gate = try Pipe()
        let opened = SharedDescriptor(try gate.reading.duplicate())
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                _ = try opened.fd.read(max: 1)
                var wantsMore = true
                while wantsMore {
                    let (id, request, _) = try client.receive()
                    wantsMore = request != .makeSocket(ipv6: true)
                    try client.send(wantsMore ? .done : .refused(errno: 1, detail: []), id: id)
                }
            } body: { connection in
                let total = 1_500
                // More than the socket's buffer and the outbox hold: somebody is refused, and then the gate opens.
                let (answered, refused) = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<total {
                        group.addTask {
                            do throws(SupervisorError) {
                                try await connection.resizeTerminal(of: bytes("t"), rows: 1, columns: 1)
                                return true
                            } catch  where error == .notReading { return false }
                        }
                    }
                    #expect(try await group.next() == false)
                    try gate.writing.writeAll([1])
                    return try await group.reduce(into: (0, 1)) { counts, isAnswered in
                        if isAnswered { counts.0 += 1 } else { counts.1 += 1 }
                    }
                }
                #expect(answered >= 256 && answered + refused == total)
                await #expect(throws: SupervisorError.self) { try await connection.makeSocket(ipv6: true) }
            }
        }
    }

    struct Stranger: CustomTestStringConvertible {
        var testDescription: String
        var first: @Sendable (FakeSupervisor) throws -> Bytes
        var matches: @Sendable (SupervisorError) -> Bool
    }

    static let strangers: [Stranger] = [
        Stranger(testDescription: "another pod") { fake in
            try Frame.encode(.hello(podID: bytes(PodID.random().text), supervisorPID: getpid(), version: 1), id: 0)
        } matches: {
            if case .wrongPeer = $0 { true } else { false }
        },
        Stranger(testDescription: "another process") { fake in
            try Frame.encode(.hello(podID: bytes(fake.pod.text), supervisorPID: 1, version: 1), id: 0)
        } matches: {
            if case .wrongPeer = $0 { true } else { false }
        },
        Stranger(testDescription: "no version") { fake in
            try Frame.encode(.hello(podID: bytes(fake.pod.text), supervisorPID: getpid(), version: 0), id: 0)
        } matches: {
            if case .wrongPeer = $0 { true } else { false }
        },
        Stranger(testDescription: "noise") { _ in
            bytes("GET / HTTP/1.1")
        } matches: {
            if case .protocolViolation = $0 { true } else { false }
        },
        Stranger(testDescription: "a packet over the limit") { _ in
            Bytes(repeating: 7, count: 70_000)
        } matches: {
            if case .kernel(_, .messageTooLong) = $0 { true } else { false }
        },
    ]

    @Test(arguments: strangers) func whoeverIsNotThePodsSupervisorIsRefused(_ stranger: Stranger) async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            async let served: Void = fake.serve { client in
                try client.socket.send(try stranger.first(fake))
                try client.waitForEnd()
            }
            do {
                _ = try await fake.connect(on: reactor)
                Issue.record("connected to a stranger")
            } catch let error as SupervisorError { #expect(stranger.matches(error), "\(error)") }
            try await served
        }
    }

    @Test func whoDoesNotGreetIsGivenUp() async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            async let served: Void = fake.serve { client in try client.waitForEnd() }
            await #expect(throws: SupervisorError.deadlineExceeded(operation: "greet")) {
                try await fake.connect(on: reactor, deadline: .milliseconds(20))
            }
            try await served
        }
    }

    @Test func withoutASocketNobodyListens() async throws {
        let root = try TemporaryRoot()
        let directory = try OwnedFD.open(Path(root.path), [.readOnly, .directory])
        try await withReactor { reactor in
            do {
                _ = try await SupervisorConnection.connect(to: .random(), in: directory, reactor: reactor) { _ in }
                Issue.record("connected to nobody")
            } catch let error as SupervisorError { #expect(error == .notListening(.noEntry)) }
        }
    }

    @Test func aHeldLaunchHasNoDeadlineUntilItIsReleased() async throws {
        let fake = try FakeSupervisor()
        let log = EventLog()
        try await withReactor { reactor in
            let (held, holding) = AsyncStream<Void>.makeStream()
            let note: @Sendable (SupervisorEvent) -> Void = { event in
                log.note(event)
                holding.finish()
            }
            try await fake.talk(on: reactor, events: note) { client in
                let (launch, _, _) = try client.receive()
                try client.send(.held(process: bytes("c"), pid: 4, point: .beforeExecute), id: launch)
                let (id, request, _) = try client.receive()
                #expect(request == .release(process: bytes("c"), go: true))
                try client.send(.done, id: id)
                let own = try Pidfd.open(pid: getpid())
                try client.send(
                    .launched(process: bytes("c"), pid: 4, startedAtNanoseconds: 1), id: launch, with: own.fd)
            } body: { connection in
                let plan = LaunchPlan(kind: .container, deadlineMilliseconds: 0, steps: [])
                async let launched = connection.launch(
                    plan, process: bytes("c"), cgroup: fake.directory, margin: .milliseconds(200))
                for await _ in held {}
                // Longer than the launch had.
                try await Task.sleep(for: .milliseconds(300))
                try await connection.release(bytes("c"), go: true)
                #expect(try await launched.pid == 4)
                #expect(log.all == ["held c beforeExecute"])
            }
        }
    }

    @Test func thePlanOfAnExecThatComesAgainIsPackedOnce() async throws {
        let fake = try FakeSupervisor()
        let exec = { (name: String) in
            LaunchPlan(kind: .exec, steps: [.execute(arguments: [bytes(name)], environment: [], searchPath: [])])
        }
        let container = LaunchPlan(kind: .container, steps: [])
        // Two of a kind between others; then more than are remembered, so that the first is packed anew.
        let sent =
            [exec("a"), exec("a"), exec("b"), exec("a"), container, container]
            + (0..<PackedPlans.plansMax).map { exec("\($0)") } + [exec("a")]
        let (files, reporting) = AsyncStream<(UInt64, LaunchPlan)>.makeStream()
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                let own = try Pidfd.open(pid: getpid())
                for _ in sent {
                    let launch = try client.receiveLaunch()
                    reporting.yield((launch.file, launch.plan))
                    try client.send(
                        .launched(process: bytes("p"), pid: 4, startedAtNanoseconds: 1), id: launch.id, with: own.fd)
                }
                reporting.finish()
            } body: { connection in
                for plan in sent { _ = try await connection.launch(plan, process: bytes("p"), cgroup: fake.directory) }
            }
        }
        var inodes: [UInt64] = []
        var plans: [LaunchPlan] = []
        for await (inode, plan) in files {
            inodes.append(inode)
            plans.append(plan)
        }
        #expect(plans == sent)
        // Packed at its first and second coming, kept from then on.
        #expect(inodes[1] == inodes[3])
        #expect(inodes[0] != inodes[1])
        #expect(inodes[4] != inodes[5])
        #expect(inodes[10] != inodes[1])
    }

    private func execute(
        _ name: String, _ connection: SupervisorConnection, _ fake: FakeSupervisor
    ) async throws -> ExecResult {
        try await connection.execute(
            LaunchPlan(kind: .exec, deadlineMilliseconds: 0, steps: []), process: bytes(name), container: bytes("c"),
            cgroup: fake.directory, timeout: nil, outputBytesMax: 10, drain: .seconds(10))
    }

    private static let nothing = CollectedOutput(bytes: [], isTruncated: false, isComplete: true)

    @Test func anExecUntilItsExitIsOneAnswerAndNothingIsToBeForgotten() async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                let launch = try client.receiveLaunch()
                #expect(launch.request == .launch(process: bytes("e"), container: bytes("c"), untilExit: true))
                try client.send(.exited(record("e", code: 3)), id: 0)
                let (id, request, _) = try client.receive()
                #expect(request == .closeStdin(container: bytes("c")))
                try client.send(.done, id: id)
            } body: { connection in
                let result = try await execute("e", connection, fake)
                #expect(result == .exited(record("e", code: 3), stdout: Self.nothing, stderr: Self.nothing))
                // Nothing is kept of it: whoever waits for an exit waits for another's.
                #expect(try await connection.exit(of: bytes("e"), within: .milliseconds(1)) == nil)
                #expect(connection.state.withLock { $0.forgettable.isEmpty && $0.pending.isEmpty })
                try await connection.closeStdin(of: bytes("c"))
            }
        }
    }

    /// One that was born of an earlier version answers the launch as well, and keeps the process.
    @Test func anOlderSupervisorIsToldToForgetAnExec() async throws {
        let fake = try FakeSupervisor()
        let (told, telling) = AsyncStream<Void>.makeStream()
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                let launch = try client.receiveLaunch()
                let own = try Pidfd.open(pid: getpid())
                try client.send(
                    .launched(process: bytes("e"), pid: 4, startedAtNanoseconds: 1), id: launch.id, with: own.fd)
                try client.send(.exited(record("e", code: 0)), id: 0)
                let (id, request, _) = try client.receive()
                #expect(request == .forget(process: bytes("e")))
                try client.send(.done, id: id)
                telling.finish()
            } body: { connection in
                let result = try await execute("e", connection, fake)
                #expect(result == .exited(record("e", code: 0), stdout: Self.nothing, stderr: Self.nothing))
                for await _ in told {}
            }
        }
    }

    /// No answer comes while it runs: after the time of the launch another question tells whether anybody is there.
    @Test func anExecWithoutATimeOutEndsWithASupervisorThatHangs() async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                _ = try client.receiveLaunch()
                let (id, request, _) = try client.receive()
                #expect(request == .snapshot)
                // What others have left is none of its business.
                let other = ProcessState(
                    process: bytes("o"), kind: .exec, phase: .exited, pid: 1, startedAtNanoseconds: 1,
                    exit: record("o", code: 0), logLinesDropped: 0)
                try client.send(.container(other), id: id)
                try client.send(.snapshotEnd, id: id)
                try client.send(.exited(record("e", code: 0)), id: 0)
                _ = try client.receiveLaunch()
                let (_, again, _) = try client.receive()
                #expect(again == .snapshot)
            } body: { connection in
                let result = try await execute("e", connection, fake)
                #expect(result == .exited(record("e", code: 0), stdout: Self.nothing, stderr: Self.nothing))
                #expect(try await connection.exit(of: bytes("o"), within: .milliseconds(1)) == nil)
                await #expect(throws: SupervisorError.deadlineExceeded(operation: "launch")) {
                    try await execute("f", connection, fake)
                }
            }
        }
    }

    @Test func anExecThatFailsWhileItIsKilledHasRunOutOfTime() async throws {
        let fake = try FakeSupervisor()
        try fake.root.directory("leaf")
        try fake.root.write("", to: "leaf/cgroup.kill")
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                let launch = try client.receiveLaunch()
                for _ in 0..<10_000 where try fake.root.read("leaf/cgroup.kill").isEmpty { usleep(1_000) }
                try client.send(
                    .launchFailed(process: bytes("e"), stepIndex: 0, errno: 3, detail: bytes("signal 9")),
                    id: launch.id)
            } body: { connection in
                let leaf = try OwnedFD.open(Path(fake.root.path("leaf")), [.readOnly, .directory])
                let result = try await connection.execute(
                    LaunchPlan(kind: .exec, steps: []), process: bytes("e"), container: bytes("c"), cgroup: leaf,
                    timeout: .milliseconds(1), outputBytesMax: 10, drain: .seconds(10))
                #expect(result == .timedOut(stdout: Self.nothing, stderr: Self.nothing))
            }
        }
    }

    @Test func fewPlansAreRemembered() throws {
        var kept = PackedPlans()
        for number in 0..<100 {
            let plan = LaunchPlan(kind: .exec, deadlineMilliseconds: UInt32(number), steps: [])
            kept.see(plan)
            kept.see(plan)
            kept.keep(plan, SharedDescriptor(try OwnedFD.open("/dev/null", .readOnly)))
            #expect(kept.counts.plans <= PackedPlans.plansMax && kept.counts.files <= PackedPlans.plansMax)
            guard case .packed = kept.find(plan) else { throw TestFailure("the latest plan is not kept") }
        }
        guard case .unknown = kept.find(LaunchPlan(kind: .exec, deadlineMilliseconds: 0, steps: [])) else {
            throw TestFailure("the first plan is still kept")
        }
    }

    @Test func whatIsForgottenLaterWakesNobodyUntilItIsMuch() async throws {
        let fake = try FakeSupervisor()
        let (told, telling) = AsyncStream<Void>.makeStream()
        try await withReactor { reactor in
            try await fake.talk(on: reactor) { client in
                let own = try Pidfd.open(pid: getpid())
                let launch = try client.receiveLaunch()
                try client.send(
                    .launched(process: bytes("p"), pid: 4, startedAtNanoseconds: 1), id: launch.id, with: own.fd)
                for number in 0..<ConnectionState.forgettableMax {
                    let (id, request, _) = try client.receive()
                    #expect(request == .forget(process: bytes("\(number)")))
                    try client.send(.done, id: id)
                }
                telling.finish()
            } body: { connection in
                connection.forgetLater(bytes("0"))
                _ = try await connection.launch(
                    LaunchPlan(kind: .exec, steps: []), process: bytes("p"), cgroup: fake.directory)
                for number in 1..<ConnectionState.forgettableMax { connection.forgetLater(bytes("\(number)")) }
                for await _ in told {}
            }
        }
    }

    @Test func whatIsForgottenLaterGoesAfterAWhile() async throws {
        let fake = try FakeSupervisor()
        try await withReactor { reactor in
            let (told, telling) = AsyncStream<Void>.makeStream()
            try await fake.talk(on: reactor) { client in
                let (id, request, _) = try client.receive()
                #expect(request == .forget(process: bytes("a")))
                try client.send(.done, id: id)
                telling.finish()
            } body: { connection in
                connection.forgetLater(bytes("a"))
                for await _ in told {}
            }
        }
    }
}
