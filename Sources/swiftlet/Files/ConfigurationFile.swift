import CLICore
import Foundation

/// A file of JSON or YAML as a tree.
enum ConfigurationFile {
    private static let bytesMax = 4 << 20

    /// Reads a file, "-" being standard input.
    static func read(_ path: String) throws(Failure) -> JSONValue {
        let bytes = try contents(path)
        let isJSON = bytes.first { !Set("\n\r\t ".utf8).contains($0) } == UInt8(ascii: "{")
        do {
            return isJSON ? try JSONParser.parse(bytes) : try YAMLTree.parse(bytes)
        } catch {
            throw Failure("\(path): \(error)")
        }
    }

    private static func contents(_ path: String) throws(Failure) -> [UInt8] {
        do {
            let file = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
            let data = try file.read(upToCount: bytesMax + 1) ?? Data()
            guard data.count <= bytesMax else { throw Failure("\(path): larger than \(bytesMax >> 20) MiB") }
            return Array(data)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("read \(path): \(reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "there is no such file"
        case .fileReadNoPermission: "permission denied"
        default: (error as NSError).localizedDescription
        }
    }
}
