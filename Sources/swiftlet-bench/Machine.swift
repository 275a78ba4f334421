import CLICore
import Foundation

/// The machine that a measurement belongs to. Figures are worth something only beside it.
struct Machine: Sendable {
    var kernel: String
    var processor: String
    var cores: Int
    var time: String

    static func current(now: UnixNanoseconds) -> Machine {
        Machine(
            kernel: firstLine("/proc/sys/kernel/osrelease") ?? "unknown", processor: processorName(),
            cores: ProcessInfo.processInfo.activeProcessorCount, time: rfc3339(now / 1_000_000_000 * 1_000_000_000))
    }

    /// The load of the last minute.
    static func load() -> Double {
        firstLine("/proc/loadavg").flatMap { $0.split(separator: " ").first }.flatMap { Double($0) } ?? 0
    }

    var json: [JSONValue.Member] {
        [
            .init("kernel", .string(kernel)), .init("processor", .string(processor)), .init("cores", .number(cores)),
            .init("time", .string(time)),
        ]
    }

    private static func processorName() -> String {
        let line = readText("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    }
}

/// The text of a small file, such as those of procfs; nil if it cannot be read.
func readText(_ path: String) -> String? {
    do {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        return String(decoding: try file.read(upToCount: 1 << 20) ?? Data(), as: UTF8.self)
    } catch {
        return nil
    }
}

private func firstLine(_ path: String) -> String? {
    readText(path)?.split(separator: "\n").first.map(String.init)
}
