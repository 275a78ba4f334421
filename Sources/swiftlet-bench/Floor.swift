import CLICore
import Foundation

/// The bare C program that makes a process in namespaces with an overlay and nothing else: what no runtime can be below.
enum Floor {
    static let start = "floor: start"
    static let exec = "floor: exec"

    /// Runs the program and notes what it measured.
    static func measure(_ path: String, iterations: Int, into book: inout SampleBook) throws(Failure) {
        let output: Data
        do {
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(filePath: path)
            process.arguments = ["--iterations", String(iterations)]
            process.standardOutput = pipe
            try process.run()
            output = try pipe.fileHandleForReading.read(upToCount: 4 << 20) ?? Data()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw Failure("\(path) ended with status \(process.terminationStatus)")
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("run \(path): \(error.localizedDescription)")
        }
        try read(Array(output), path, into: &book)
    }

    /// Reads `{"startMicroseconds": [...], "execMicroseconds": [...]}`; the second may be missing.
    static func read(_ output: [UInt8], _ path: String, into book: inout SampleBook) throws(Failure) {
        let report: JSONValue
        do {
            report = try JSONParser.parse(output)
        } catch {
            throw Failure("\(path): its output is not JSON: \(error)")
        }
        let starts = numbers(report["startMicroseconds"])
        guard !starts.isEmpty else { throw Failure("\(path): its output has no startMicroseconds") }
        for value in starts { book.add(value / 1000, to: start) }
        for value in numbers(report["execMicroseconds"]) { book.add(value / 1000, to: exec) }
    }

    private static func numbers(_ value: JSONValue?) -> [Double] {
        guard case .array(let items) = value else { return [] }
        return items.compactMap { if case .number(let digits) = $0 { Double(digits) } else { nil } }
    }
}
