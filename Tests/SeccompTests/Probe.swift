import Foundation
import TestKit

/// Real system calls under a filter, made by a program of its own (`Tests/Fixtures/seccomp/probe.py`).
struct Probe {
    struct Call: CustomStringConvertible, Sendable {
        var name: String
        var abi = "64"
        var number: Int
        var arguments: [String] = []

        var description: String { name }

        init(_ name: String, _ number: Int, _ arguments: [String] = [], abi: String = "64") {
            self.name = name
            self.number = number
            self.arguments = arguments
            self.abi = abi
        }
    }

    /// How each call ends: "ok", an errno, or "signal N". Without a filter where `filter` is nil.
    static func run(_ calls: [Call], filter: [UInt8]?) throws -> [String: String] {
        let root = try TemporaryRoot("seccomp")
        let file = try filter.map { try root.write($0, to: "filter.bpf") } ?? "-"
        let lines = calls.map { ([$0.name, $0.abi, String($0.number)] + $0.arguments).joined(separator: " ") }
        let input = try root.write(lines.joined(separator: "\n") + "\n", to: "calls")
        guard let stdin = FileHandle(forReadingAtPath: input) else { throw TestFailure("open \(input)") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [Golden.fixture("seccomp/probe.py"), file]
        process.standardInput = stdin
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TestFailure("the probe ended with \(process.terminationStatus)")
        }
        var out: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            out[String(parts[0])] = String(parts[1])
        }
        return out
    }
}
