import CRIProto
import SwiftProtobuf
import GRPC
import Foundation

/// The format of log files, and rotation.
let logCases: [Case] = [
    Case(
        "log.record", "A line is a record: time, stream, tag F, text; an empty line keeps the space",
        source: "cri-client logs.go",
        proves: [
            "StartContainer", "RunPodSandboxRequest.config.log_directory", "CreateContainerRequest.config.log_path",
        ]
    ) { trial in
        let records = try await trial.log(trial.run("echo one; echo; echo two words")) { $0.count >= 3 }
        try equal(records.map(\.text), ["one", "", "two words"], "texts")
        try equal(Set(records.map(\.tag)), ["F"], "tags")
        try equal(Set(records.map(\.stream)), ["stdout"], "streams")
    },
    Case(
        "log.streams", "Records name their stream", source: "cri-client logs.go", proves: ["StartContainer"]
    ) { trial in
        let records = try await trial.log(trial.run("echo out; echo err >&2")) { $0.count >= 2 }
        try equal(records.first { $0.stream == "stdout" }?.text, "out", "stdout")
        try equal(records.first { $0.stream == "stderr" }?.text, "err", "stderr")
    },
    Case(
        "log.long-lines", "A line longer than 16384 bytes is records P and a last one F",
        source: "containerd io/logger.go",
        proves: ["StartContainer"]
    ) { trial in
        let container = try await trial.run("head -c 40000 /dev/zero | tr '\\0' x; echo; echo end")
        let records = try await trial.log(container) { $0.last?.text == "end" }
        try equal(records.map(\.tag), ["P", "P", "F", "F"], "tags")
        try equal(records.dropLast().map(\.text).joined(), String(repeating: "x", count: 40000), "text")
        try expect(
            records.allSatisfy { $0.text.utf8.count <= 16384 }, "a record is longer: \(records.map(\.text.utf8.count))")
    },
    Case(
        "log.no-end", "Output that ends without a line's end is kept", source: "containerd io/logger.go",
        proves: ["StartContainer"]
    ) { trial in
        let records = try await trial.log(trial.run("printf 'no end'")) { !$0.isEmpty }
        try equal(records.map(\.text), ["no end"], "texts")
    },
    Case(
        "log.terminal", "Output through a terminal is one stream, stdout", source: "kubelet logs",
        proves: ["CreateContainerRequest.config.tty"]
    ) { trial in
        let container = try await trial.run("tty; echo err >&2") { $0.tty = true }
        let records = try await trial.log(container) { $0.count >= 2 }
        try equal(Set(records.map(\.stream)), ["stdout"], "streams")
        try expect(records[0].text.hasPrefix("/dev/pts/"), "no terminal: \(records[0].text)")
    },
    Case(
        "log.reopen", "After ReopenContainerLog a new file gets all that follows; no line is lost or doubled",
        source: "kubelet container_log_manager.go",
        proves: ["ReopenContainerLog", "ReopenContainerLogRequest.container_id"]
    ) { trial in
        let container = try await trial.running(["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); usleep 1000; done"])
        _ = try await trial.log(container) { $0.count > 50 }
        var files: [String] = []
        for number in 0..<3 {
            files.append("\(container.logPath).\(number)")
            try FileManager.default.moveItem(atPath: container.logPath, toPath: files[number])
            try await trial.call(CRIMethods.reopenContainerLog, .with { $0.containerID = container.id })
            _ = try await trial.log(container) { $0.count > 50 }
        }
        try await trial.stop(container)
        let lines = try (files + [container.logPath]).flatMap { try LogRecord.read($0) }.map(\.text)
        try expect(lines == (0..<lines.count).map(String.init), "lines are lost or doubled among \(lines.count)")
    },
    Case(
        "log.reopen-missing", "ReopenContainerLog makes the file anew if it is missing",
        source: "kubelet container_log_manager.go",
        proves: ["ReopenContainerLog"]
    ) { trial in
        let container = try await trial.running(["sh", "-c", "while :; do echo x; usleep 20000; done"])
        _ = try await trial.log(container) { !$0.isEmpty }
        try FileManager.default.removeItem(atPath: container.logPath)
        try await trial.call(CRIMethods.reopenContainerLog, .with { $0.containerID = container.id })
        _ = try await trial.log(container) { !$0.isEmpty }
    },
    Case(
        "log.stays", "RemoveContainer leaves the log file to the kubelet", source: "kubelet kuberuntime_gc.go",
        proves: ["RemoveContainer"]
    ) { trial in
        let container = try await trial.run("echo kept")
        _ = try await trial.log(container) { !$0.isEmpty }
        try await trial.remove(container)
        try equal(try LogRecord.read(container.logPath).map(\.text), ["kept"], "texts")
    },
    Case(
        "log.mode", "A log file is not for everybody", source: "containerd container_create.go",
        proves: ["CreateContainerRequest.config.log_path"]
    ) { trial in
        let container = try await trial.run("echo kept")
        _ = try await trial.log(container) { !$0.isEmpty }
        let mode =
            try FileManager.default.attributesOfItem(atPath: container.logPath)[.posixPermissions] as? Int ?? 0o777
        try equal(mode & 0o007, 0, "permissions of others")
    },
]
