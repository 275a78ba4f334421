import Foundation
import LaunchProtocol
import Model
import OCI
import Planner
import Testing

/// How steps read, in errors and in dumps.
@Suite struct DescriptionTests {
    static let plan = LaunchPlan(
        kind: .container,
        steps: [
            .cloneTree(
                register: 1, source: Array("/data".utf8), expect: .any, recursive: true, attributes: [],
                recursiveAttributes: false,
                propagation: .private),
            .makeFilesystem(register: 2, type: Array("proc".utf8), options: [], attributes: [], stage: .two),
            .attach(register: 1, target: Array("/var/lib/x".utf8), create: .likeSource),
            .attach(register: 2, target: Array("/proc".utf8), create: .directory),
            .changeDirectory(Array("/work".utf8)),
            .setUser(uid: 5, gid: 6, groups: []), .writeSysctl(path: Array("net/x".utf8), value: Array("1".utf8)),
            .execute(arguments: [Array("foo".utf8)], environment: [], searchPath: []),
            .execute(arguments: [Array("/bin/foo".utf8)], environment: [], searchPath: []),
        ])

    @Test(
        "a failed step is a sentence",
        arguments: [
            (0, 2, "", #"mount "/data" at "/var/lib/x": no such file or directory"#),
            (1, 1, "", #"mount proc at "/proc": operation not permitted"#),
            (2, 40, "/var/lib/x", #"mount "/data" at "/var/lib/x": too many levels of symbolic links"#),
            (2, 20, "/var/lib", #"mount "/data" at "/var/lib/x": not a directory (at "/var/lib")"#),
            (3, 16, "", #"mount proc at "/proc": device or resource busy"#),
            (4, 2, "/work", #"change to working directory "/work": no such file or directory"#),
            (5, 22, "", "become user 5:6: invalid argument"),
            (6, 13, "", #"set sysctl "net/x" to "1": permission denied"#),
            (7, 2, "foo", #"exec "foo": executable file not found in $PATH"#),
            (7, 13, "", #"exec "foo": permission denied"#),
            (8, 2, "", #"exec "/bin/foo": no such file or directory"#),
            (8, 8, "", #"exec "/bin/foo": exec format error"#),
            (99, 110, "", "launch: timed out"), (-1, 5, "x\n\u{1b}", #"launch: input/output error (at "x??")"#),
            (0, 4000, "", #"mount "/data" at "/var/lib/x": error 4000"#),
        ])
    func sentences(index: Int, errno: Int32, detail: String, sentence: String) {
        #expect(StepDescription.sentence(Self.plan, index: index, errno: errno, detail: Array(detail.utf8)) == sentence)
        #expect(StepDescription.isExecute(Self.plan, index: index) == (index == 7 || index == 8))
    }

    @Test("a plan as JSON is JSON and has every step")
    func json() throws {
        let plan = try Samples().with { $0.container.command = ["a\"b\\c\n\u{1}", "\u{20ac}"] }.plan()
        let object = try JSONSerialization.jsonObject(with: Data(PlanDump.json(plan).utf8)) as? [String: Any]
        let steps = try #require(object?["steps"] as? [[String: Any]])
        #expect(steps.count == plan.steps.count)
        #expect(object?["kind"] as? String == "container")
        #expect(steps.last?["arguments"] as? [String] == ["a\"b\\c\n\u{1}", "\u{20ac}"])
        #expect(steps.allSatisfy { $0["step"] is String })
    }
}
