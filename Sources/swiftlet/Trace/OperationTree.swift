import CLICore
import SwiftProtobuf
import SwiftletAPI

/// Operations as JSON: as they came, and as Chrome's trace events.
enum OperationTree {
    static func json(_ operations: [Swiftlet_V1_Operation]) throws -> JSONValue {
        try JSONValue(message: Swiftlet_V1_ListOperationsResponse.with { $0.operations = operations })
    }

    /// The "JSON Object Format" of Chrome's Trace Event Format: complete events ("X") in microseconds; a pod is a process, it
    /// and each of its containers a thread.
    static func chrome(_ operations: [Swiftlet_V1_Operation]) -> JSONValue {
        var events: [JSONValue] = []
        var pods: [String: Int] = [:]
        var threads: [String: Int] = [:]
        for operation in operations {
            let isNewPod = pods[operation.podID] == nil
            let process = pods[operation.podID] ?? pods.count + 1
            pods[operation.podID] = process
            if isNewPod {
                events.append(name("process_name", "\(operation.podNamespace)/\(operation.podName)", process, 0))
            }
            let key = operation.podID + "/" + operation.containerID
            let isNewThread = threads[key] == nil
            let thread = threads[key] ?? threads.count + 1
            threads[key] = thread
            if isNewThread {
                let title = operation.containerID.isEmpty ? "pod" : operation.containerName
                events.append(name("thread_name", title, process, thread))
            }
            let arguments: [JSONValue.Member] = [
                .init("pod", .string(operation.podID)), .init("container", .string(operation.containerID)),
                .init("error", .string(operation.error)),
            ]
            events.append(
                complete(operation.name, operation.startedAt, operation.duration, process, thread, arguments))
            for stage in operation.stages {
                events.append(
                    complete(
                        stage.name, operation.startedAt &+ stage.start, stage.duration, process, thread,
                        stage.detail.isEmpty ? [] : [.init("detail", .string(stage.detail))]))
            }
        }
        return .object([.init("traceEvents", .array(events)), .init("displayTimeUnit", .string("ms"))])
    }

    private static func name(_ kind: String, _ name: String, _ process: Int, _ thread: Int) -> JSONValue {
        .object([
            .init("name", .string(kind)), .init("ph", .string("M")), .init("pid", .number("\(process)")),
            .init("tid", .number("\(thread)")), .init("args", .object([.init("name", .string(name))])),
        ])
    }

    private static func complete(
        _ name: String, _ start: Int64, _ duration: Int64, _ process: Int, _ thread: Int,
        _ arguments: [JSONValue.Member]
    ) -> JSONValue {
        .object([
            .init("name", .string(name)), .init("ph", .string("X")), .init("ts", microseconds(start)),
            .init("dur", microseconds(duration)), .init("pid", .number("\(process)")),
            .init("tid", .number("\(thread)")), .init("args", .object(arguments)),
        ])
    }

    /// Three decimals, without the rounding of a floating-point number.
    private static func microseconds(_ nanoseconds: Int64) -> JSONValue {
        let rest = String(max(0, nanoseconds) % 1000)
        return .number("\(max(0, nanoseconds) / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest)
    }
}
