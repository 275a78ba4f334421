import ArgumentParser
import CLICore
import Foundation
import Glibc
import Testing

@testable import swiftlet

@Suite struct UsageTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var says: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let rows = [
        Row(arguments: ["ps", "--foo"], says: "--foo"),
        Row(arguments: ["ps", "--lates"], says: "--latest"),
        Row(arguments: ["nonsense"], says: "unknown command \"nonsense\" (swiftlet help"),
        Row(arguments: ["pod"], says: "did you mean pods?"),
        Row(arguments: ["inspct", "abc"], says: "did you mean inspect?"),
        Row(arguments: ["help", "stpp"], says: "did you mean stop?"), Row(arguments: ["x"], says: "swiftlet help"),
        Row(arguments: ["stop", "-t", "-1", "abc"], says: "--timeout -1"),
        Row(arguments: ["update", "--oom-score-adj", "-1001", "abc"], says: "-1001"),
        Row(arguments: ["--tiemout", "2s", "ps"], says: "--timeout"),
        Row(arguments: ["-t", "soon", "ps"], says: "soon"),
        Row(arguments: ["-r", "tcp://1.2.3.4:5", "ps"], says: "only unix sockets"),
        Row(arguments: ["-r", "unix://relative", "ps"], says: "not an absolute path"),
        Row(arguments: ["-r", "/" + String(repeating: "x", count: 107), "ps"], says: "107 bytes"),
        Row(arguments: ["exec"], says: "expected a container's id"),
        Row(arguments: ["exec", "abc"], says: "expected a command"),
        Row(arguments: ["exec", "abc", "--"], says: "expected a command"),
        Row(arguments: ["exec", "--foo", "abc", "true"], says: "--foo"),
        Row(arguments: ["exec", "-s", "-i", "abc", "true"], says: "--sync"),
        Row(arguments: ["exec", "--name", "abc"], says: "expected a container's id"),
        Row(arguments: ["exec", "--transport", "smoke", "abc", "true"], says: "smoke"),
        Row(arguments: ["exec", "--tls-key", "file", "abc", "true"], says: "--tls-cert"),
        Row(arguments: ["attach"], says: "container"),
        Row(arguments: ["exec", "-s", "abc"], says: "expected a command"),
        Row(arguments: ["exec", "-s", "--timeout=-1", "abc", "true"], says: "-1"),
        Row(arguments: ["stop"], says: "--all"),
        Row(arguments: ["stop", "-a", "abc"], says: "--all"),
        Row(arguments: ["rm"], says: "--all"),
        Row(arguments: ["rmi"], says: "--all"),
        Row(arguments: ["ps", "-o", "xml"], says: "xml"),
        Row(arguments: ["create", "pod", "container.json"], says: "pod-file"),
        Row(arguments: ["inspect", "--plan", "-q", "abc"], says: "--plan"),
        Row(arguments: ["stats", "-s=-1"], says: "-1"),
        Row(arguments: ["stats", "--id", "a", "b"], says: "--id"),
        Row(arguments: ["statsp", "-s", "3601"], says: "3601"),
        Row(arguments: ["statsp", "--id", "a", "b"], says: "--id"),
        Row(arguments: ["stats", "-w", "-s", "0"], says: "--watch"),
        Row(arguments: ["ps", "-o", "go-template"], says: "--template"),
        Row(arguments: ["ps", "--template", "{{.a}}"], says: "go-template"),
        Row(arguments: ["ps", "-o", "go-template", "--template", "{{.a"], says: "no end"),
        Row(arguments: ["inspect"], says: "flags that choose"), Row(arguments: ["inspectp"], says: "flags that choose"),
        Row(arguments: ["inspect", "abc", "--all"], says: "flags that choose"),
        Row(arguments: ["inspecti"], says: "--filter"), Row(arguments: ["config"], says: "--list"),
        Row(arguments: ["checkpoint", "-e", "relative", "abc"], says: "absolute"),
        Row(arguments: ["checkpoint", "-e", "/a", "b", "c"], says: "one archive"),
        Row(arguments: ["update", "--oom-score-adj", "1001", "abc"], says: "1001"),
        Row(arguments: ["run"], says: "image"),
    ]

    @Test("arguments that make no sense end with 2 and a sentence that names them", arguments: rows)
    func usage(row: Row) async throws {
        let captured = CapturedConsole()
        let status = await Program.run(row.arguments, environment: [:], console: captured.console)
        #expect(status == 2)
        #expect(captured.out == "")
        #expect(captured.err.hasPrefix("swiftlet: "))
        #expect(captured.err.contains(row.says), "\(captured.err)")
    }

    @Test("without a command the help is shown and the status is 2")
    func noCommand() async throws {
        let captured = CapturedConsole()
        #expect(await Program.run([], environment: [:], console: captured.console) == 2)
        #expect(captured.out.contains("USAGE: swiftlet"))
    }

    @Test("a socket that is not there is said in plain words, with status 1")
    func missingSocket() async throws {
        let scratch = try ScratchDirectory()
        let captured = CapturedConsole()
        let endpoint = "unix://\(scratch.path)/none.sock"
        #expect(await Program.run(["-r", endpoint, "ps"], environment: [:], console: captured.console) == 1)
        #expect(captured.err.contains("cannot reach the runtime at \(endpoint): there is no such socket"))
        #expect(captured.err.split(separator: "\n").count == 1)
    }

    @Test("a socket on which nobody listens, and what is none, are said in plain words")
    func deadSocket() async throws {
        let scratch = try ScratchDirectory()
        let dead = scratch.path + "/dead.sock"
        #expect(close(boundSocket(dead)) == 0)
        let cases = [
            (dead, "nobody listens"), (try scratch.write("file", ""), "not a socket"), (scratch.path, "not a socket"),
        ]
        for (path, says) in cases {
            let captured = CapturedConsole()
            #expect(await Program.run(["-r", path, "ps"], environment: [:], console: captured.console) == 1)
            #expect(captured.err.contains(says), "\(captured.err)")
        }
    }

    /// A Unix socket bound to a path.
    private func boundSocket(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { #expect(bind(descriptor, $0, size) == 0) }
        }
        return descriptor
    }

    @Test(
        "crictl's short words for the version and the help are known",
        arguments: [["-v"], ["h"], ["h", "ps"], ["ps", "-h"]])
    func shortWords(arguments: [String]) async throws {
        let captured = CapturedConsole()
        #expect(await Program.run(arguments, environment: [:], console: captured.console) == 0)
        #expect(!captured.out.isEmpty && captured.err == "")
    }

    @Test("a timeout of 0 is what suits the command, and a number below zero is a value")
    func zeroTimeout() async throws {
        let options = try GlobalOptions.parse(["-t", "0", "--max-retries", "-1"])
        let configuration = try ClientConfiguration(options: options, environment: [:])
        #expect(configuration.timeout == nil && configuration.retriesMax == -1)
    }

    static let splitRows: [([String], [String])] = [
        (["-t", "2s", "stop", "-t", "5"], ["-t", "2s"]), (["ps"], []),
        (["--timeout=2s", "-D", "ps"], ["--timeout=2s", "-D"]),
        (["--help"], []), (["-r"], ["-r"]), (["-D"], ["-D"]),
    ]

    @Test("global options are split off before the command", arguments: splitRows)
    func split(arguments: [String], global: [String]) {
        let split = GlobalOptions.split(arguments)
        #expect(split.global == global)
        #expect(split.global + split.rest == arguments)
    }

    @Test("flags win over the environment, that over the file, that over the default")
    func endpoints() throws {
        let scratch = try ScratchDirectory()
        let file = try scratch.write("crictl.yaml", "runtime-endpoint: unix:///from/file\ntimeout: 7\ndebug: true\n")
        let empty = try scratch.write("empty.yaml", "")
        func configuration(_ arguments: [String], _ environment: [String: String]) throws -> ClientConfiguration {
            try ClientConfiguration(options: GlobalOptions.parse(arguments), environment: environment)
        }
        let environment = ["CONTAINER_RUNTIME_ENDPOINT": "unix:///from/environment"]
        #expect(try configuration(["-c", empty], [:]).runtimeEndpoint == .standard)
        let fromFile = try configuration(["-c", file], [:])
        #expect(fromFile.runtimeEndpoint.path == "/from/file")
        #expect(fromFile.imageEndpoint.path == "/from/file")
        #expect(fromFile.timeout == .seconds(7))
        #expect(fromFile.traces)
        #expect(try configuration(["-c", file], environment).runtimeEndpoint.path == "/from/environment")
        let fromFlag = try configuration(["-c", file, "-r", "/from/flag", "-t", "300ms", "-i", "/image"], environment)
        #expect(fromFlag.runtimeEndpoint.path == "/from/flag")
        #expect(fromFlag.imageEndpoint.path == "/image")
        #expect(fromFlag.timeout == .milliseconds(300))
    }

    static let badClientFileRows: [(String, String)] = [
        ("runtime-endpont: x\n", "runtime-endpont"), ("timeout: soon\n", "timeout"), ("- a\n", "a list"),
        ("a: [\n", "line"),
    ]

    @Test("a client configuration with mistakes is refused with the key's name", arguments: badClientFileRows)
    func badClientFile(text: String, says: String) throws {
        let scratch = try ScratchDirectory()
        let file = try scratch.write("crictl.yaml", text)
        let failure = #expect(throws: Failure.self) {
            try ClientConfiguration(options: GlobalOptions.parse(["-c", file]), environment: [:])
        }
        #expect(failure?.message.contains(says) == true, "\(failure?.message ?? "")")
    }
}
