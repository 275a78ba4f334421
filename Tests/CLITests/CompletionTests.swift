import CLICore
import Foundation
import Testing

@testable import swiftlet

/// The completion scripts in the shells that they are for.
@Suite(.timeLimit(.minutes(2))) struct CompletionTests {
    static let shells = ["bash", "zsh"].filter { path(of: $0) != nil }

    private static func path(of shell: String) -> String? {
        ["/usr/bin/", "/bin/"].map { $0 + shell }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @Test("each shell has a script that names it, and its own for ids", arguments: ["bash", "zsh", "fish"])
    func script(shell: String) async throws {
        let captured = CapturedConsole()
        #expect(await Program.run(["completion", shell], environment: [:], console: captured.console) == 0)
        #expect(captured.out.contains("---completion inspectp"))
    }

    /// What a shell offers for a command line, asked as the shell itself asks.
    private func offers(_ shell: String, _ line: String) async throws -> [String] {
        let scratch = try ScratchDirectory()
        let directory = try Executable.program().deletingLastPathComponent().path
        let script =
            switch shell {
            case "bash":
                """
                source <(swiftlet completion bash)
                read -ra COMP_WORDS <<<"$LINE"; [[ $LINE == *" " ]] && COMP_WORDS+=("")
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$LINE COMP_POINT=${#LINE}
                _swiftlet swiftlet "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            default:
                // A shell on a pseudo-terminal of its own (zsh/zpty), whose completion lists what there is.
                """
                zmodload zsh/zpty
                fpath=($SCRATCH $fpath); swiftlet completion zsh >$SCRATCH/_swiftlet
                zpty -b z zsh -f -i
                zpty -w z 'PROMPT=; fpath=('$SCRATCH' $fpath); autoload -Uz compinit; compinit -u -d '$SCRATCH'/dump'
                zpty -w z 'zstyle ":completion:*" list-prompt ""; zstyle ":completion:*" menu no; LISTMAX=10000; unsetopt list_beep'
                zpty -w z 'offer() { compadd() { builtin compadd -O got "$@"; print -rl -- OFFER:${^got}; builtin compadd "$@"; }; }'
                zpty -w z 'offer; print READY'
                zpty -r z out '*READY*READY*'
                zpty -n -w z "$LINE"$'\\t'
                zpty -w z $'\\C-u print DO''NE'
                zpty -r z out '*DONE*'
                print -r -- "$out" | tr -d '\\r' | sed -n 's/.*OFFER://p'
                """
            }
        let file = try scratch.write("ask", script)
        let words = [
            "-c", "export PATH=\"\(directory):$PATH\" SCRATCH=\(scratch.path); LINE=$2 exec \"$0\" \"$1\"", shell, file,
            line,
        ]
        let asking = try Executable.start(words, program: "/bin/sh")
        defer { asking.end() }
        #expect(try await asking.exitStatus() == 0, "\(asking.error)")
        // zsh asks twice: how much room the offers need, and for the offers.
        return Array(Set(asking.out.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }))
    }

    @Test("ids, names of images and values are offered, from the endpoint that the line names", arguments: shells)
    func words(shell: String) async throws {
        try await FakeRuntime.with { runtime in
            let pod = runtime.addPod("web")
            let container = runtime.addContainer("app", in: pod)
            runtime.addImage("docker.io/library/busybox:1")
            let line = "swiftlet -t 1m -r \(runtime.endpoint) "
            let rows = [
                ("inspect 0", container), ("inspectp 0", pod), ("stop 0001ffff 0", container),
                ("ps --state ex", "exited"),
                ("runtime-", "runtime-config"),
            ]
            for (typed, offer) in rows {
                let offered = try await offers(shell, line + typed)
                #expect(offered == [offer], "\(typed)")
            }
        }
    }

    @Test("a runtime that is away offers nothing and says nothing", arguments: shells)
    func away(shell: String) async throws {
        #expect(try await offers(shell, "swiftlet -r /nowhere inspect a") == [])
    }

    @Test("fish completes an id on a terminal", .enabled(if: path(of: "fish") != nil))
    func fish() async throws {
        try await FakeRuntime.with { runtime in
            let container = runtime.addContainer("app", in: runtime.addPod("web"))
            let directory = try Executable.program().deletingLastPathComponent().path
            let shell = try TerminalProgram(
                ["--no-config", "-C", "function fish_prompt; echo READY; end"], columns: 300,
                environment: ["PATH=\(directory):/usr/bin:/bin"],
                program: try #require(Self.path(of: "fish")))
            defer { shell.end() }
            try await shell.waitFor("READY")
            try shell.type("swiftlet completion fish | source; echo LOAD'ED'\r")
            try await shell.waitFor("LOADED")
            try shell.type("swiftlet -t 1m -r \(runtime.endpoint) inspect 00\t")
            try await shell.waitFor(container)
        }
    }
}
