import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Logs {}
}

extension WholeDaemon.Logs {
    @Test func `no line is lost or doubled over twenty rotations under a writer`() async throws {
        let node = try Node.current
        try await node.withPod("rotation") { pod in
            let container = try await pod.start(["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); done"])
            try await container.logged("100")
            var files: [String] = []
            for number in 0..<20 {
                let rotated = "\(container.logPath).\(number)"
                try FileManager.default.moveItem(atPath: container.logPath, toPath: rotated)
                try await node.call(CRIMethods.reopenContainerLog, .with { $0.containerID = container.id })
                files.append(rotated)
                let size = try readFile(rotated).count
                try await eventually("the new file grows") {
                    try LogRecord.read(container.logPath).count > 20
                }
                #expect(try readFile(rotated).count == size, "after the call nothing goes to the old file")
            }
            try await container.stop(timeout: 0)
            files.append(container.logPath)
            let lines = try files.flatMap { try LogRecord.read($0) }.map(\.text)
            #expect(lines == (0..<lines.count).map(String.init))
            let refused = try await node.refusal(
                of: CRIMethods.reopenContainerLog, .with { $0.containerID = container.id })
            #expect(refused.code == .failedPrecondition)
        }
    }

    @Test func `long lines are split and put together again by their tags`() async throws {
        try await Node.current.withPod("long-lines") { pod in
            let script = "head -c 40000 /dev/zero | tr '\\0' x; echo; echo; printf 'no end'"
            let container = try await pod.run("sh", "-c", script)
            let log = try container.log()
            #expect(log.map(\.text.count) == [16384, 16384, 7232, 0, 6])
            #expect(log.map(\.tag).prefix(4) == ["P", "P", "F", "F"])
            #expect(log.last?.text == "no end")
        }
    }

    @Test func `a terminal's output is one stream`() async throws {
        try await Node.current.withPod("terminal") { pod in
            let container = try await pod.start(["sh", "-c", "tty; echo err >&2"]) { $0.tty = true }
            _ = try await container.ended()
            let log = try container.log()
            #expect(log.allSatisfy { $0.stream == "stdout" })
            #expect(log.map { $0.text.filter { $0 != "\r" } } == ["/dev/pts/0", "err"])
        }
    }

    @Test func `a link inside the log directory leads nowhere else`() async throws {
        let node = try Node.current
        let canary = try node.work.write("canary\n", to: node.unique("canary"))
        try await node.withPod("log-link") { pod in
            let config = pod.containerConfig(["echo", "written"])
            let directory = pod.config.logDirectory + "/" + (config.logPath as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: pod.config.logDirectory + "/" + config.logPath, withDestinationPath: canary)
            let container = try await pod.create(config)
            let refused = try await node.refusal(of: CRIMethods.startContainer, .with { $0.containerID = container.id })
            #expect(refused.code != .ok)
            #expect(String(decoding: try readFile(canary), as: UTF8.self) == "canary\n")
        }
    }
}
