import Testing

@testable import Linux

@Suite("helper programs", .timeLimit(.minutes(10)))
struct ProgramRunTests {
    private static func shell(_ script: String, input: [UInt8] = [], milliseconds: Int64 = 30_000) -> ProgramRun {
        ProgramRun(
            "/bin/sh", arguments: ["sh", "-c", script].map { Array($0.utf8) },
            environment: [Array("PATH=/usr/bin:/bin".utf8)], input: input,
            deadlineNanoseconds: Clock.monotonicNanoseconds + milliseconds * 1_000_000)
    }

    @Test("input, output, errors and status are the program's")
    func streams() throws {
        let program = Self.shell("cat; echo oops >&2; exit 3", input: Array("hello".utf8))
        let outcome = try program.run(reaper: ProgramReaper())
        #expect(outcome.end == .ended(.exited(3)))
        #expect(String(decoding: outcome.output, as: UTF8.self) == "hello")
        #expect(String(decoding: outcome.errorOutput, as: UTF8.self) == "oops\n")
        #expect(outcome.durationNanoseconds > 0)
    }

    @Test("output just within the bound is whole, and beyond it ends the program")
    func outputBound() throws {
        var program = Self.shell("head -c 100000 /dev/zero")
        program.outputMax = 100_000
        #expect(try program.run(reaper: ProgramReaper()).output.count == 100_000)
        program.outputMax = 99_999
        let outcome = try program.run(reaper: ProgramReaper())
        #expect(outcome.end == .outputTooLong)
        #expect(outcome.output.isEmpty)
        var endless = Self.shell("cat /dev/zero")
        endless.outputMax = 1000
        #expect(try endless.run(reaper: ProgramReaper()).end == .outputTooLong)
    }

    @Test("of standard error the last bytes are kept")
    func errorBound() throws {
        var program = Self.shell("head -c 3000000 /dev/zero >&2; printf last >&2")
        program.errorMax = 6
        let outcome = try program.run(reaper: ProgramReaper())
        #expect(outcome.end == .ended(.exited(0)))
        #expect(outcome.errorOutput == [0, 0] + Array("last".utf8))
    }

    @Test("the end of its time ends the program and its group")
    func deadline() throws {
        let reaper = ProgramReaper()
        var pid: Int32 = 0
        let outcome = try Self.shell("trap '' TERM; while :; do sleep 1; done", milliseconds: 100)
            .run(reaper: reaper) { pid = $0 }
        #expect(outcome.end == .timedOut)
        #expect(try ProcessIdentity(pid: pid) == nil)
        #expect(reaper.collect() == 0)
    }

    @Test("a program that is not there is an error, not an outcome")
    func missing() {
        let program = ProgramRun(
            "/nonexistent/program", arguments: [[]], environment: [], input: [], deadlineNanoseconds: .max)
        #expect(throws: Errno.noEntry) { try program.run(reaper: ProgramReaper()) }
    }

    @Test("a program that ends late is waited for later")
    func reaper() async throws {
        let reaper = ProgramReaper()
        let program = try ProgramSpawn("/bin/sleep", arguments: [Array("sleep".utf8), Array("1000".utf8)]).start()
        let pid = program.pid
        reaper.killAndTake(program)
        while reaper.collect() > 0 { await Task.yield() }
        #expect(try ProcessIdentity(pid: pid) == nil)
    }

    @Test(
        "the start time is found behind any name",
        arguments: [
            ("7 (sh) S 1 7 7 0 -1 4194560 90 0 0 0 0 0 0 0 20 0 1 0 4242 2654208 1 1", 4242),
            ("7 (a) b) (c 1 2) S 1 7 7 0 -1 4194560 90 0 0 0 0 0 0 0 20 0 1 0 17 2654208 1 1", 17),
            ("7 (sh) S 1 7", nil), ("", nil), ("7 (sh) S 1 7 7 0 -1 4194560 90 0 0 0 0 0 0 0 20 0 1 0 x 1", nil),
        ] as [(String, UInt64?)])
    func startTicks(stat: String, ticks: UInt64?) {
        #expect(ProcessIdentity.startTicks(stat: Array(stat.utf8)) == ticks)
    }

    @Test("only the very process is killed")
    func identity() throws {
        let program = try ProgramSpawn("/bin/sleep", arguments: [Array("sleep".utf8), Array("1000".utf8)]).start()
        let identity = try #require(try ProcessIdentity(pid: program.pid))
        try ProcessIdentity(pid: identity.pid, startTicks: identity.startTicks + 1).killGroup()
        #expect(try program.pidfd.reap() == nil)
        try identity.killGroup()
        #expect(try program.pidfd.wait() == .signaled(.kill))
        try identity.killGroup()
    }
}
