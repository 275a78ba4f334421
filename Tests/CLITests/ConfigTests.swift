import ArgumentParser
import CLICore
import Foundation
import Testing

@testable import swiftlet

@Suite struct ConfigTests {
    private func config(_ file: String, _ arguments: String...) async -> (status: Int32, out: String, err: String) {
        let captured = CapturedConsole()
        let status = await Program.run(
            ["-c", file, "config"] + arguments, environment: [:], console: captured.console)
        return (status, captured.out, captured.err)
    }

    @Test("a file that is not there says the defaults, and setting makes it for its owner alone")
    func fresh() async throws {
        let scratch = try ScratchDirectory()
        let file = scratch.path + "/etc/crictl.yaml"
        let list = await config(file, "--list")
        #expect(list.status == 0)
        #expect(list.out.split(separator: "\n").count == 8)
        #expect(await config(file, "debug", "true").status == 0)
        #expect(await config(file, "--get", "debug").out == "true\n")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("setting keys changes their lines and nothing else")
    func comments() async throws {
        let scratch = try ScratchDirectory()
        let file = try scratch.write(
            "crictl.yaml", "# mine\nruntime-endpoint: unix:///a # old\n\"debug\": true\n# end\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        let set = await config(
            file, "--set", "runtime-endpoint=unix:///b,timeout=5", "--set", "debug=false", "--set", "max-retries=-1")
        #expect((set.status, set.out, set.err) == (0, "", ""))
        #expect(
            try String(contentsOfFile: file, encoding: .utf8)
                == "# mine\nruntime-endpoint: \"unix:///b\"\ndebug: false\n# end\ntimeout: 5\nmax-retries: -1\n")
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o640)
        let settings = try ClientFile(at: file, mustExist: true).settings
        #expect(
            settings
                == .init(runtimeEndpoint: "unix:///b", timeout: 5, debug: false, maxRetries: -1))
    }

    @Test("a link to the file stays a link")
    func link() async throws {
        let scratch = try ScratchDirectory()
        let file = try scratch.write("real.yaml", "debug: false\n")
        let link = scratch.path + "/crictl.yaml"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        #expect(await config(link, "debug", "true").status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "debug: true\n")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == file)
    }

    static let badRows: [([String], String)] = [
        (["--set", "nonsense=1"], "expected one of runtime-endpoint"), (["--set", "debug"], "KEY=VALUE"),
        (["--set", "debug=perhaps"], "true or false"), (["--set", "timeout=soon"], "whole number"),
        (["--set", "timeout=99999999"], "million"), (["--set", "runtime-endpoint=tcp://1.2.3.4"], "unix"),
        (["--get", "nonsense"], "nonsense"), ([], "--list"), (["debug"], "a value"),
        (["--list", "--get", "debug"], "one of"),
        (["--set", "debug=true,timeout=x"], "whole number"),
    ]

    @Test("what makes no sense is refused and changes nothing", arguments: badRows)
    func bad(arguments: [String], says: String) async throws {
        let scratch = try ScratchDirectory()
        let file = try scratch.write("crictl.yaml", "debug: true\n")
        let captured = CapturedConsole()
        let status = await Program.run(
            ["-c", file, "config"] + arguments, environment: [:], console: captured.console)
        #expect(status == 2)
        #expect(captured.err.contains(says), "\(captured.err)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "debug: true\n")
    }

    @Test("a file with a mistake, or of JSON, is not written over")
    func broken() async throws {
        let scratch = try ScratchDirectory()
        for text in ["debgu: true\n", "{\"debug\": true}\n"] {
            let file = try scratch.write("crictl.yaml", text)
            #expect(await config(file, "debug", "false").status == 1)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
        }
    }

    @Test("every key of crictl is taken, and the environment may name the file")
    func keys() throws {
        let scratch = try ScratchDirectory()
        let text = """
            runtime-endpoint: unix:///a
            image-endpoint: unix:///b
            timeout: 0
            debug: false
            pull-image-on-create: true
            disable-pull-on-run: true
            max-retries: 4
            """
        let file = try scratch.write("crictl.yaml", text)
        let configuration = try ClientConfiguration(
            options: GlobalOptions.parse([]), environment: ["CRI_CONFIG_FILE": file])
        #expect(configuration.runtimeEndpoint.path == "/a")
        #expect(configuration.imageEndpoint.path == "/b")
        #expect(configuration.timeout == nil)
        #expect(configuration.pullsOnCreate)
        #expect(!configuration.pullsOnRun)
        #expect(configuration.retriesMax == 4)
        let flagged = try ClientConfiguration(
            options: GlobalOptions.parse(["-c", file, "--max-retries", "1"]), environment: [:])
        #expect(flagged.retriesMax == 1)
    }

    @Test("--max-retries tries a socket again that is not there yet")
    func retries() async throws {
        let scratch = try ScratchDirectory()
        let captured = CapturedConsole()
        let arguments = ["-r", scratch.path + "/none.sock", "-D", "--max-retries", "1", "ps"]
        #expect(await Program.run(arguments, environment: [:], console: captured.console) == 1)
        #expect(captured.err.components(separatedBy: "no such socket").count == 3)
    }
}
