import LaunchProtocol
import TestKit
import Testing

@Suite struct RoundTripTests {
    @Test func everyMessageComesBackAsItWas() throws {
        var random = RandomValues(generator: .announced("every message"))
        for _ in 0..<200 {
            let id: UInt32 = random.number()
            for request in random.requests() {
                let decoded = try Frame.decodeRequest(try Frame.encode(request, id: id))
                #expect(decoded.id == id && decoded.request == request)
            }
            for reply in random.replies() {
                let decoded = try Frame.decodeReply(try Frame.encode(reply, id: id))
                #expect(decoded.id == id && decoded.reply == reply)
            }
            let failure = random.birthFailure()
            #expect(try Frame.decodeBirthFailure(try Frame.encode(failure)) == failure)
            let record = random.exitRecord()
            #expect(try ExitFile.decode(try ExitFile.encode(record)) == record)
        }
    }

    @Test func everyPlanComesBackAsItWas() throws {
        var random = RandomValues(generator: .announced("every plan"))
        for _ in 0..<100 {
            for plan in random.plans() { #expect(try PlanCoder.decode(try PlanCoder.encode(plan)) == plan) }
        }
    }

    @Test func theRandomPlansCoverEveryStep() {
        var random = RandomValues(generator: SeededGenerator(seed: 1))
        #expect(random.steps().map(\.number) == Step.Number.allCases)
    }

    @Test func theLargestExecFits() throws {
        let arguments = [Bytes](repeating: Bytes(repeating: 0x61, count: WireLimits.textBytes), count: 15)
        let plan = LaunchPlan(
            kind: .container, steps: [.execute(arguments: arguments, environment: [], searchPath: [])])
        #expect(try PlanCoder.decode(try PlanCoder.encode(plan)) == plan)
    }

    @Test func aLongDetailIsCutAndNotRefused() throws {
        let reply = Reply.launchFailed(
            process: [0x61], stepIndex: 1, errno: 2, detail: Bytes(repeating: 1, count: 5_000))
        guard
            case .launchFailed(_, _, let errno, let detail) = try Frame.decodeReply(try Frame.encode(reply, id: 1))
                .reply
        else { throw TestFailure("another reply") }
        #expect(errno == 2 && detail == Bytes(repeating: 1, count: 1_024))
    }
}

@Suite struct RefusalTests {
    struct Row: CustomTestStringConvertible {
        var testDescription: String
        var steps: [Step]
        var error: WireError
    }

    static let rows: [Row] = [
        Row(testDescription: "NUL in a path", steps: [.mask(target: [0x2f, 0, 0x61])], error: .badValue),
        Row(
            testDescription: "argument over the kernel's limit",
            steps: [.execute(arguments: [Bytes(repeating: 0x61, count: 131_072)], environment: [], searchPath: [])],
            error: .tooLarge),
        Row(
            testDescription: "arguments and environment over 2 MiB",
            steps: [
                .execute(
                    arguments: [[0x61]],
                    environment: [Bytes](repeating: Bytes(repeating: 0x61, count: 131_071), count: 17), searchPath: [])
            ], error: .tooLarge),
        Row(
            testDescription: "no argument", steps: [.execute(arguments: [], environment: [], searchPath: [])],
            error: .badValue),
        Row(
            testDescription: "more steps than allowed", steps: [Step](repeating: .pivotRoot, count: 8_193),
            error: .tooLarge),
        Row(
            testDescription: "plan over 4 MiB",
            steps: [Step](repeating: .changeDirectory(Bytes(repeating: 0x61, count: 131_000)), count: 33),
            error: .tooLarge),
        Row(
            testDescription: "filter over 4,096 instructions",
            steps: [.installSeccompFilter(program: Bytes(repeating: 0, count: 4_097 * 8), flags: 0)], error: .tooLarge),
        Row(
            testDescription: "filter with half an instruction",
            steps: [.installSeccompFilter(program: Bytes(repeating: 0, count: 12), flags: 0)], error: .badValue),
    ]

    @Test(arguments: rows) func theEncoderRefuses(_ row: Row) {
        #expect(throws: row.error) { try PlanCoder.encode(LaunchPlan(kind: .container, steps: row.steps)) }
    }

    @Test(arguments: ["", ".", "..", ".x", "a/b", "a b", "a\0", String(repeating: "a", count: 129)])
    func theEncoderRefusesNamesThatAreNoFileNames(_ name: String) {
        #expect(throws: WireError.self) { try Frame.encode(Request.forget(process: Bytes(name.utf8)), id: 1) }
    }

    @Test func theDecoderRefusesNamesThatAreNoFileNames() throws {
        var bytes = try Frame.encode(Request.forget(process: Bytes("aab".utf8)), id: 1)
        bytes[bytes.count - 2] = 0x2f
        #expect(throws: WireError.badValue) { try Frame.decodeRequest(bytes) }
    }

    @Test func anUnknownMessageNamesItsId() throws {
        var bytes = try Frame.encode(Request.snapshot, id: 77)
        bytes[6] = 0xff
        #expect(throws: WireError.unknownKind(0xff, id: 77)) { try Frame.decodeRequest(bytes) }
    }

    @Test func fieldsOfANewerVersionAreSkippedInMessages() throws {
        let request = Request.release(process: [0x61], go: true)
        var bytes = try Frame.encode(request, id: 5)
        bytes += [1, 2, 3, 4]
        bytes[12] += 4
        bytes[4] = 9
        #expect(try Frame.decodeRequest(bytes).request == request)
    }

    @Test func surplusBytesInAPlanAreRefused() throws {
        let plan = LaunchPlan(kind: .container, steps: [.setUmask(0o22)])
        let bytes = try PlanCoder.encode(plan)
        #expect(throws: WireError.trailingBytes) { try PlanCoder.decode(bytes + [0]) }
        var longer = bytes + [0]
        longer[bytes.count - 8] += 1
        #expect(throws: WireError.trailingBytes) { try PlanCoder.decode(longer) }
    }

    @Test func anUnknownStepIsRefused() throws {
        var bytes = try PlanCoder.encode(LaunchPlan(kind: .container, steps: [.pivotRoot]))
        bytes[bytes.count - 5] = 0x7f
        #expect(throws: WireError.unknownStep(0x7f11)) { try PlanCoder.decode(bytes) }
    }
}
