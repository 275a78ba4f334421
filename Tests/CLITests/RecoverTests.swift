import ArgumentParser
import CLICore
import Testing

@testable import swiftlet

@Suite struct RecoverTests {
    private static func answer(_ actions: [String], daemonRuns: Bool = false) throws -> RecoveryAnswer {
        let items = actions.map {
            #"{"kind":"pod","id":"\#(String(repeating: "a", count: 64))","name":"n/\#($0)","action":"\#($0)","detail":"why\u001b"}"#
        }
        return try RecoveryAnswer(
            Array(#"{"daemonRuns":\#(daemonRuns),"daemonProcess":7,"items":[\#(items.joined(separator: ","))]}"#.utf8))
    }

    private func report(_ answer: RecoveryAnswer, _ arguments: [String]) throws -> (Int32, String, String) {
        let captured = CapturedConsole()
        let command = try #require(try Recover.parse(arguments) as Recover?)
        do { try command.report(answer, on: captured.console) } catch let failure as Failure {
            return (failure.exitStatus, captured.out, captured.err)
        }
        return (0, captured.out, captured.err)
    }

    @Test func `actions are shown as a table with their sum, and none of its text drives a terminal`() throws {
        let (status, out, err) = try report(try Self.answer(["keep", "exit", "keep"]), ["--dry-run"])
        #expect(status == 0 && err == "")
        #expect(
            out == """
                ACTION   KIND   ID              NAME     DETAIL
                keep     pod    aaaaaaaaaaaaa   n/keep   why?
                exit     pod    aaaaaaaaaaaaa   n/exit   why?
                keep     pod    aaaaaaaaaaaaa   n/keep   why?
                2 keep, 1 exit

                """)
        #expect(try report(try Self.answer([]), ["--dry-run"]).1 == "nothing to recover\n")
    }

    @Test(arguments: ["lost", "undo", "remove", "set-aside", "something-new"])
    func `whatever takes something away ends with 3`(action: String) throws {
        #expect(try report(try Self.answer(["keep", action]), ["--dry-run"]).0 == 3)
        #expect(try report(try Self.answer(["keep", action]), ["--dry-run", "-o", "json"]).0 == 3)
    }

    @Test func `a running daemon is named`() throws {
        let (status, _, err) = try report(try Self.answer(["keep"], daemonRuns: true), ["--dry-run"])
        #expect(status == 0 && err.contains("the daemon runs (process 7)"))
    }

    @Test(arguments: ["", "x", "[]", "{}", #"{"items":5}"#]) func `an answer that is none is an error`(text: String) {
        #expect(throws: Failure.self) { try RecoveryAnswer(Array(text.utf8)) }
    }

    @Test func `without dry-run nothing is done, and the command says what does it`() async throws {
        let captured = CapturedConsole()
        let status = await Program.run(["recover"], environment: [:], console: captured.console)
        #expect(status == 1 && captured.err.contains("systemctl start swiftlet"))
    }

    @Test func `a program that fails or is not there is an error with its name`() async throws {
        let scratch = try ScratchDirectory()
        for (program, word) in [("/bin/false", "status 1"), (scratch.path + "/none", "none")] {
            let captured = CapturedConsole()
            let status = await Program.run(
                ["recover", "--dry-run", "--daemon", program], environment: [:], console: captured.console)
            #expect(status == 1 && captured.err.contains(word), "\(captured.err)")
        }
    }

    @Test func `the daemon's program is looked for where packages and builds put it`() {
        #expect(
            RecoveryQuestion.candidates(beside: "/usr/bin/swiftlet") == [
                "/usr/libexec/swiftlet/swiftletd", "/usr/bin/swiftletd",
            ])
    }
}
