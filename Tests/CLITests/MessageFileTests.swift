import CLICore
import CRIProto
import Foundation
import Testing

@testable import swiftlet

@Suite struct MessageFileTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var text: String
        var says: String
        var testDescription: String { says }
    }

    static let mistakes: [Mistake] = [
        Mistake(text: "{", says: "line 1, column 2"),
        Mistake(text: "{\"metadata\": {\"name\": \"a\"},\n \"image\": tru}", says: "line 2, column 14"),
        Mistake(text: "a: [", says: "line"), Mistake(text: "", says: "the file is empty"),
        Mistake(text: "just words", says: "the file is a string, not an object"),
        Mistake(text: "loggpath: a", says: "unknown field loggpath (did you mean log_path?)"),
        Mistake(
            text: "linux: {security_context: {privileged: 1}}",
            says: "linux.security_context.privileged is a number, not true or false"),
        Mistake(text: "linux: {security_context: {colour: red}}", says: "unknown field linux.security_context.colour"),
        Mistake(text: "mounts: {a: b}", says: "mounts is an object, not a list"),
        Mistake(
            text: "mounts: [{host_path: 5}]", says: "mounts[0].host_path is a number, not a string (put it in quotes)"),
        Mistake(text: "labels: {a: true}", says: "labels.a is a boolean, not a string (put it in quotes)"),
        Mistake(
            text: "linux: {security_context: {namespace_options: {pid: PODD}}}",
            says: "linux.security_context.namespace_options.pid is \"PODD\", not one of POD, CONTAINER, NODE, TARGET"),
        Mistake(text: "tty: true\nTTY: true", says: "unknown field TTY"),
        Mistake(text: "log_path: a\nlogPath: b", says: "logPath is given twice"),
        Mistake(text: "metadata: {name: a, attempt: 4294967296}\nimage: {image: b}", says: "not a ContainerConfig"),
        Mistake(text: "metadata: {}", says: "metadata.name is not set"),
        Mistake(text: "metadata: {name: a}", says: "image.image is not set"),
    ]

    @Test("a mistake in a file is named with its place", arguments: mistakes)
    func mistakeIsNamed(mistake: Mistake) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("container.yaml", mistake.text)
        let failure = #expect(throws: Failure.self) { try readContainerConfig(path) }
        #expect(failure?.message.contains(mistake.says) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains(path) == true)
    }

    @Test("a file that is not there is said so")
    func missing() throws {
        let failure = #expect(throws: Failure.self) { try readPodConfig("/nonexistent/pod.json") }
        #expect(failure?.message == "read /nonexistent/pod.json: there is no such file")
    }

    @Test("both spellings, numbers as text, enums by name or number, quoted words, nulls")
    func spellings() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(
            "container.yaml",
            """
            metadata: {name: a}
            image: {image: b}
            workingDir: /x
            args: ["true", "0x10", ~x]
            stop_signal: SIGNAL_SIGKILL
            envs: [{key: EMPTY}, {key: WORD, value: "äö"}]
            annotations: null
            linux:
              resources: {cpu_quota: "50000", memoryLimitInBytes: 1048576}
              security_context:
                run_as_user: {value: 0}
                namespaceOptions: {pid: 1, network: NODE}
                seccomp: {profile_type: Localhost, localhost_ref: /p}
            CDI_devices: [{name: "v.com/c=d"}]
            """)
        let config = try readContainerConfig(path)
        #expect(config.workingDir == "/x")
        #expect(config.args == ["true", "0x10", "~x"])
        #expect(config.stopSignal == .sigkill)
        #expect(config.envs.map(\.value) == [Data(), Data("äö".utf8)])
        #expect(config.linux.resources.cpuQuota == 50_000)
        #expect(config.linux.resources.memoryLimitInBytes == 1 << 20)
        #expect(config.linux.securityContext.hasRunAsUser)
        #expect(config.linux.securityContext.namespaceOptions.pid == .container)
        #expect(config.linux.securityContext.namespaceOptions.network == .node)
        #expect(config.linux.securityContext.seccomp.profileType == .localhost)
        #expect(config.cdiDevices.first?.name == "v.com/c=d")
    }

    @Test("a small file that grows without end is refused")
    func aliases() throws {
        let scratch = try ScratchDirectory()
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...6 {
            text +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        let path = try scratch.write("bomb.yaml", text)
        let failure = #expect(throws: Failure.self) { try readPodConfig(path) }
        #expect(failure?.message.contains("more than 100000 values") == true)
    }

    @Test(
        "a tree comes back from YAML as it was",
        arguments: ["true", "1", "null", "", "a: b", "- x", "ä\n\"q\"", "0x1f", "~", " a"])
    func yamlRoundTrip(text: String) throws {
        let tree = JSONValue.object([
            .init("text", .string(text)), .init("list", .array([.number(1), .bool(false), .null, .object([])])),
            .init(text + "k", .array([])),
        ])
        #expect(try YAMLTree.parse(Array(YAMLTree.text(tree).utf8)) == tree)
    }
}
