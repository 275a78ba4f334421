import Foundation
import TestKit

/// What /proc says of processes.
enum Processes {
    static func all(in proc: String = "/proc") -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: proc)) ?? []
        return names.compactMap { Int32($0) }
    }

    static func isFirst(_ process: Int32, ofNamespace namespace: String) -> Bool {
        link(process, "ns/pid") == namespace && numbers(process).last == 1
    }

    /// What a link of a process's directory says, such as "ns/pid".
    static func link(_ process: Int32, _ name: String) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/\(name)")) ?? ""
    }

    /// What its descriptors are of, sorted.
    static func openFiles(_ process: Int32) -> [String] {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
        return numbers.map { link(process, "fd/" + $0) }.sorted()
    }

    /// Its numbers, in this process's PID namespace first and in its own last.
    static func numbers(_ process: Int32) -> [Int32] {
        let line = lines(process).first { $0.hasPrefix("NSpid:") } ?? ""
        return line.split(whereSeparator: \.isWhitespace).dropFirst().compactMap { Int32($0) }
    }

    static func name(_ process: Int32, in proc: String = "/proc") -> String {
        String(decoding: (try? readFile("\(proc)/\(process)/comm")) ?? [], as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A zombie is nothing but its exit code, and may be reaped between two looks at it.
    static func isZombie(_ process: Int32, in proc: String = "/proc") -> Bool {
        let lines = lines(process, in: proc)
        return lines.isEmpty || lines.contains { $0.hasPrefix("State:\tZ") }
    }

    /// One turn of `Pod.idle`, which may be seen before its execve(2), as a copy of the shell that it is a child of.
    static func isIdleTurn(_ process: Int32, in proc: String) -> Bool {
        let command = command(process, in: proc)
        if command == ["usleep", "50000"] { return true }
        guard command == Pod.idle, let parent = lines(process, in: proc).first(where: { $0.hasPrefix("PPid:") })
        else { return false }
        return Int32(parent.dropFirst(6)).map { self.command($0, in: proc) == Pod.idle } ?? false
    }

    private static func command(_ process: Int32, in proc: String) -> [String] {
        ((try? readFile("\(proc)/\(process)/cmdline")) ?? []).split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Whether nothing of a process runs any more. Its first thread may be a zombie while others, which still hold its
    /// descriptors, are on their way out: a socket of theirs takes connections until then.
    static func isOver(_ process: Int32) -> Bool {
        guard startTime(process) != nil else { return true }
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return isZombie(process) && threads.count <= 1
    }

    /// When it started, in clock ticks since boot: with its number, this names a process for ever (proc_pid_stat(5)).
    static func startTime(_ process: Int32) -> String? {
        guard let bytes = try? readFile("/proc/\(process)/stat") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : nil
    }

    private static func lines(_ process: Int32, in proc: String = "/proc") -> [Substring] {
        String(decoding: (try? readFile("\(proc)/\(process)/status")) ?? [], as: UTF8.self).split(separator: "\n")
    }
}
