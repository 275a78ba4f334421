import Testing

@testable import LaunchEngine
@testable import LaunchProtocol
@testable import Linux

@Suite("Child reports")
struct ChildReportTests {
    static let reports: [ChildReport] = [
        .terminal, .held(.afterNamespaces), .held(.beforeExecute), .member(pid: 1), .member(pid: Int32.max),
        .failed(LaunchFailure(stepIndex: 0, errno: Errno(2))),
        .failed(LaunchFailure(stepIndex: BirthFailure.beforeSteps, errno: Errno(13), detail: Array("/bin/x".utf8))),
        .failed(LaunchFailure(stepIndex: 70_000, errno: Errno(1), detail: [UInt8](repeating: 7, count: 40))),
    ]

    @Test("a report is read as it was written", arguments: reports)
    func roundTrip(report: ChildReport) {
        #expect(ChildReport(report.bytes) == report)
        #expect(report.bytes.count <= ChildReport.bytesMax)
    }

    @Test("a long detail is cut to what the supervisor reads")
    func cut() {
        let report = ChildReport.failed(LaunchFailure(errno: Errno(2), detail: [UInt8](repeating: 1, count: 5_000)))
        #expect(report.bytes.count <= ChildReport.bytesMax)
        #expect(ChildReport(report.bytes) != nil)
    }

    @Test("any bytes are a report or none", arguments: 0..<20)
    func total(seed: UInt64) {
        var generator = SplitMix(state: seed)
        for _ in 0..<500 {
            let count = Int.random(in: 0...20, using: &generator)
            let bytes = (0..<count).map { at in UInt8.random(in: 0...(at == 0 ? 6 : 255), using: &generator) }
            if let report = ChildReport(bytes) { #expect(ChildReport(report.bytes) == report) }
        }
    }

    @Test(
        "the step at work is read from a process's name",
        arguments: [
            ("launch:0\n", 0), ("launch:48", 48), ("launch:8191\n", 8_191), ("launch:", nil), ("launch:x", nil),
            ("launch:1234567", nil), ("sh\n", nil), ("", nil), ("launch:-1", nil),
        ] as [(String, UInt32?)])
    func stepName(name: String, index: UInt32?) {
        #expect(StepName.index(in: Array(name.utf8)) == index)
        // comm keeps 15 bytes.
        if let index { #expect(StepName.path(of: Int(index)).bytes.count <= 15) }
    }

    @Test("a step that changes nothing but the process has no name")
    func namedSteps() {
        let plain: [Step] = [
            .setOOMScoreAdj(value: 0, clamp: true), .resetScheduling, .setUmask(0), .newSessionKeyring,
            .setResourceLimit(resource: 0, soft: 0, hard: 0, clamp: true), .setBoundingCapabilities(0),
            .setUser(uid: 0, gid: 0, groups: []), .setNoNewPrivileges,
            .setCapabilities(effective: 0, permitted: 0, inheritable: 0, ambient: 0),
        ]
        for step in plain { #expect(!step.mayWait, "\(step)") }
        // What looks at files of a container, or waits for somebody's word.
        let waiting: [Step] = [
            .joinContainer(flags: 0), .changeDirectory([]), .installSeccompFilter(program: [], flags: 0), .pivotRoot,
            .execute(arguments: [], environment: [], searchPath: []), .executePodInit, .hold(.beforePivot),
            .openTerminal(console: false, rows: 0, columns: 0), .writeSysctl(path: [], value: []),
        ]
        for step in waiting { #expect(step.mayWait, "\(step)") }
    }

    @Test("a token survives the kernel's 64 bits")
    func tokens() {
        let tokens: [Token] = [
            .listener, .connection(1), .connection(1 << 50), .process(1, .pidfd), .process(1 << 50, .error),
            .process(7, .report),
        ]
        for token in tokens { #expect(Token(rawValue: token.rawValue) == token) }
        #expect(Set(tokens.map(\.rawValue)).count == tokens.count)
    }
}
