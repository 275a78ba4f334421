import CLICore
import Foundation

/// The bare C program that makes a process in namespaces with an overlay and nothing else: what no runtime can be below.
enum Floor {
    static let start = "floor: start"
    static let mounts = "floor: start with mounts"
    static let exec = "floor: exec"
    static let paced = "floor: CPU of \(pace) execs a second"
    /// As often a second as the probes of `Bench.probes`.
    static let pace = 20

    /// Runs the program and notes the medians of what it measured.
    ///
    /// - Parameter paced: how many execs at the pace of probes come on top; 0 for none.
    static func measure(
        _ command: [String], iterations: Int, paced: Int = 0, into book: inout SampleBook
    ) throws(Failure) {
        guard let program = command.first else { throw .usage("--floor: expected a program") }
        let output: Data
        do {
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(filePath: program)
            process.arguments =
                command.dropFirst() + ["--iterations", String(iterations), "--paced", String(paced)]
            process.standardOutput = pipe
            try process.run()
            output = try pipe.fileHandleForReading.read(upToCount: 1 << 20) ?? Data()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw Failure("\(program) ended with status \(process.terminationStatus)")
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("run \(program): \(error.localizedDescription)")
        }
        try read(Array(output), program, into: &book)
    }

    /// Reads `{"start": {"p50": microseconds, ...}, "mounts": {...}, "exec": {...}, "paced": {"cpu": microseconds}}`; only start
    /// must be there.
    static func read(_ output: [UInt8], _ program: String, into book: inout SampleBook) throws(Failure) {
        let report: JSONValue
        do {
            report = try JSONParser.parse(output)
        } catch {
            throw Failure("\(program): its output is not JSON: \(error)")
        }
        guard report["unit"] == nil || report["unit"] == "us" else {
            throw Failure("\(program): its output is not in microseconds")
        }
        for (key, name) in [("start", start), ("mounts", mounts), ("exec", exec)] {
            if case .number(let digits) = report[key]?["p50"], let value = Double(digits) {
                book.add(value / 1000, to: name)
            } else if key == "start" {
                throw Failure("\(program): its output has no start")
            }
        }
        if case .number(let digits) = report["paced"]?["cpu"], let each = Double(digits) {
            book.add(each * Double(pace) / 10_000, to: paced, unit: "% of a core")
        }
    }
}
