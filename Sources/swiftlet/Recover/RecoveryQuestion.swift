import CLICore
import Foundation

/// Runs the daemon's program for a look. It alone knows its configuration, its records and how it decides.
enum RecoveryQuestion {
    private static let bytesMax = 64 << 20

    static func ask(program: String?, configuration: String?) throws -> [UInt8] {
        let path = try program ?? installed()
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["--dry-run"] + (configuration.map { ["--config", $0] } ?? [])
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        do { try process.run() } catch {
            throw Failure("run \"\(path)\": \(error.localizedDescription)")
        }
        // What it complains of goes to our own standard error.
        var text: [UInt8] = []
        while let part = try output.fileHandleForReading.read(upToCount: 1 << 16), !part.isEmpty {
            guard text.count + part.count <= bytesMax else {
                process.terminate()
                throw Failure("run \"\(path)\": it writes more than \(bytesMax) bytes")
            }
            text += part
        }
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Failure("run \"\(path)\": it ended with status \(process.terminationStatus)")
        }
        return text
    }

    /// Where the package and `make install` put it, and where a build does: by this program's own place.
    static func candidates(beside own: String) -> [String] {
        let directory = URL(filePath: own).deletingLastPathComponent()
        return [
            directory.deletingLastPathComponent().appending(path: "libexec/swiftlet/swiftletd").path,
            directory.appending(path: "swiftletd").path,
        ]
    }

    private static func installed() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let places = candidates(beside: own)
        guard let found = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Failure(
                "find the daemon's program: none of \(places.joined(separator: ", ")) is there; name it by --daemon")
        }
        return found
    }
}
