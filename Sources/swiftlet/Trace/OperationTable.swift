import CLICore
import SwiftProtobuf
import SwiftletAPI

/// The last operations, a line for each.
enum OperationTable {
    static func text(_ operations: [Swiftlet_V1_Operation], now: UnixNanoseconds) -> String {
        var table = Table(["AGE", "OPERATION", "POD", "CONTAINER", "MS", "SLOWEST PART", "ERROR"])
        for operation in operations {
            let slowest = operation.stages.filter { $0.parent < 0 }.max { $0.duration < $1.duration }
            table.add([
                agoText(operation.startedAt, now: now), operation.name,
                shortID(operation.podID) + " " + operation.podName,
                operation.containerID.isEmpty
                    ? operation.containerName : shortID(operation.containerID) + " " + operation.containerName,
                operation.duration == 0 ? "runs" : milliseconds(operation.duration),
                slowest.map { "\($0.name) \(milliseconds($0.duration))" } ?? "-",
                operation.error.count > 120 ? operation.error.prefix(120) + "..." : operation.error,
            ])
        }
        return table.text
    }

    static func milliseconds(_ nanoseconds: Int64) -> String { decimal(Double(nanoseconds) / 1e6, places: 2) }
}
