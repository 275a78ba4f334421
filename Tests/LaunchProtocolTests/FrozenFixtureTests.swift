import Foundation
import LaunchProtocol
import TestKit
import Testing

/// What released programs wrote is read for ever: a supervisor lives as long as its pod, and a record longer.
@Suite struct FrozenFixtureTests {
    enum Value: Equatable {
        case request(UInt32, Request)
        case reply(UInt32, Reply)
        case plan(LaunchPlan)
        case birthFailure(BirthFailure)
        case exitFile(ExitRecord)

        func encoded() throws -> Bytes {
            switch self {
            case .request(let id, let request): try Frame.encode(request, id: id)
            case .reply(let id, let reply): try Frame.encode(reply, id: id)
            case .plan(let plan): try PlanCoder.encode(plan)
            case .birthFailure(let failure): try Frame.encode(failure)
            case .exitFile(let record): try ExitFile.encode(record)
            }
        }

        func decoded(_ bytes: Bytes) throws -> Value {
            switch self {
            case .request:
                let (id, request) = try Frame.decodeRequest(bytes)
                return .request(id, request)
            case .reply:
                let (id, reply) = try Frame.decodeReply(bytes)
                return .reply(id, reply)
            case .plan: return .plan(try PlanCoder.decode(bytes))
            case .birthFailure: return .birthFailure(try Frame.decodeBirthFailure(bytes))
            case .exitFile: return .exitFile(try ExitFile.decode(bytes))
            }
        }
    }

    struct Row: CustomTestStringConvertible {
        var name: String
        var value: Value
        var testDescription: String { name }
    }

    static let version1: [Row] =
        Version1Values.requests.enumerated().map { index, request in
            Row(name: "request-\(request.kind)", value: .request(UInt32(100 + index), request))
        }
        + Version1Values.replies.enumerated().map { index, reply in
            Row(name: "reply-\(reply.kind)", value: .reply(index == 9 ? 0 : UInt32(200 + index), reply))
        }
        + Version1Values.steps.map { step in
            Row(
                name: "step-\(step.number)",
                value: .plan(LaunchPlan(kind: .container, deadlineMilliseconds: 60_000, steps: [step])))
        }
        + Version1Values.plans.map { name, plan in Row(name: "plan-\(name)", value: .plan(plan)) }
        + [
            Row(name: "request-launch-until-exit", value: .request(111, Version1Values.launchUntilExit)),
            Row(name: "birth-failure", value: .birthFailure(Version1Values.birthFailure)),
            Row(name: "exit-file", value: .exitFile(Version1Values.record)),
        ]

    @Test(arguments: version1) func version1IsRead(_ row: Row) throws {
        let path = Golden.fixture("wire/v1/\(row.name).hex", from: #filePath)
        if Golden.isUpdating { try Golden.check(hexText(try row.value.encoded()), with: path, frozen: true) }
        let bytes = try bytesOfHex(String(decoding: try readFile(path), as: UTF8.self))
        #expect(try row.value.decoded(bytes) == row.value)
    }

    /// True as long as the wire version is 1; the next version gets a row table and a directory of its own.
    @Test(arguments: version1) func version1IsStillWritten(_ row: Row) throws {
        try #require(Wire.version == 1)
        let path = Golden.fixture("wire/v1/\(row.name).hex", from: #filePath)
        try Golden.check(hexText(try row.value.encoded()), with: path, frozen: true)
    }

    @Test func everyStepAndEveryMessageHasARow() {
        #expect(Set(Version1Values.steps.map(\.number)) == Set(Step.Number.allCases))
        #expect(Set(Version1Values.requests.map(\.kind)) == Set(Request.Kind.allCases))
        #expect(Set(Version1Values.replies.map(\.kind)) == Set(Reply.Kind.allCases))
    }

    @Test(.disabled(if: Golden.isUpdating)) func everyFixtureHasARow() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Golden.fixture("wire/v1", from: #filePath))
        #expect(Set(files) == Set(Self.version1.map { "\($0.name).hex" }))
    }
}
