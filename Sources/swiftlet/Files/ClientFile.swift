import CLICore
import Foundation

/// The client's configuration file: crictl's keys and values, written so that its comments stay.
struct ClientFile: Sendable {
    /// A key of the file, in crictl's order.
    enum Key: String, CaseIterable, Sendable {
        case runtimeEndpoint = "runtime-endpoint"
        case imageEndpoint = "image-endpoint"
        case timeout, debug
        case pullImageOnCreate = "pull-image-on-create"
        case disablePullOnRun = "disable-pull-on-run"
        case maxRetries = "max-retries"

        fileprivate enum Kind { case text, number, flag }

        fileprivate var kind: Kind {
            switch self {
            case .runtimeEndpoint, .imageEndpoint: .text
            case .timeout, .maxRetries: .number
            case .debug, .pullImageOnCreate, .disablePullOnRun: .flag
            }
        }

        init(named name: String) throws(Failure) {
            guard let key = Key(rawValue: name) else {
                let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage("\"\(printable(name))\" is not a key of the configuration: expected one of \(names)")
            }
            self = key
        }
    }

    /// What the file says; nil is not said.
    struct Settings: Equatable, Sendable {
        var runtimeEndpoint: String?
        var imageEndpoint: String?
        /// Seconds; 0 and less mean the usual time.
        var timeout: Int?
        var debug: Bool?
        var pullImageOnCreate: Bool?
        var disablePullOnRun: Bool?
        var maxRetries: Int?

        /// The value as text, with what holds where the file does not say it.
        func text(_ key: Key) -> String {
            switch key {
            case .runtimeEndpoint: runtimeEndpoint ?? ""
            case .imageEndpoint: imageEndpoint ?? ""
            case .timeout: String(timeout ?? 0)
            case .debug: String(debug ?? false)
            case .pullImageOnCreate: String(pullImageOnCreate ?? false)
            case .disablePullOnRun: String(disablePullOnRun ?? false)
            case .maxRetries: String(maxRetries ?? 0)
            }
        }
    }

    let path: String
    private(set) var settings = Settings()

    /// Reads the file; one that is not there says nothing, unless it must exist.
    init(at path: String, mustExist: Bool) throws(Failure) {
        self.path = path
        guard mustExist || FileManager.default.fileExists(atPath: path) else { return }
        let tree = try ConfigurationFile.read(path)
        if tree != .null {
            guard case .object(let members) = tree else {
                throw Failure("\(path): expected keys and values, found \(tree.kind)")
            }
            for member in members where member.value != .null { try take(member) }
        }
    }

    private mutating func take(_ member: JSONValue.Member) throws(Failure) {
        switch (Key(rawValue: member.name), member.value) {
        case (.runtimeEndpoint, .string(let text)): settings.runtimeEndpoint = text
        case (.imageEndpoint, .string(let text)): settings.imageEndpoint = text
        case (.timeout, .number(let digits)): settings.timeout = try number(digits, member.name)
        case (.maxRetries, .number(let digits)): settings.maxRetries = try number(digits, member.name)
        case (.debug, .bool(let flag)): settings.debug = flag
        case (.pullImageOnCreate, .bool(let flag)): settings.pullImageOnCreate = flag
        case (.disablePullOnRun, .bool(let flag)): settings.disablePullOnRun = flag
        default:
            throw Failure(
                "\(path): \(printable(member.name)) is not a key of this file, or has \(member.value.kind) as value")
        }
    }

    private func number(_ digits: String, _ name: String) throws(Failure) -> Int {
        guard let value = Int(digits), value.magnitude < 1_000_000 else {
            throw Failure("\(path): \(name) is not a number within a million")
        }
        return value
    }

    // MARK: - Changing it

    /// Writes values into the file, each in the place of the old one or at the end; the rest of the file stays as it is.
    func set(_ values: [(key: Key, text: String)]) throws(Failure) {
        var lines = try currentLines()
        for (key, text) in values {
            let line = "\(key.rawValue): \(try Self.written(text, as: key))"
            if let place = lines.firstIndex(where: { Self.isLine($0, of: key) }) {
                lines[place] = line
            } else {
                lines.append(line)
            }
        }
        let manager = FileManager.default
        // What a link means is written, not put in the link's place.
        let file = URL(filePath: path).resolvingSymlinksInPath()
        do {
            let mode =
                manager.fileExists(atPath: file.path)
                ? try manager.attributesOfItem(atPath: file.path)[.posixPermissions] ?? 0o600 : 0o600
            try manager.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file, options: .atomic)
            try manager.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        } catch {
            throw Failure("write \(path): \(error.localizedDescription)")
        }
    }

    private func currentLines() throws(Failure) -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            if text.drop(while: \.isWhitespace).hasPrefix("{") {
                throw Failure("\(path): is JSON, whose values are changed by hand")
            }
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            while lines.last?.isEmpty == true { lines.removeLast() }
            return lines
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("read \(path): \(error.localizedDescription)")
        }
    }

    private static func isLine(_ line: String, of key: Key) -> Bool {
        guard let colon = line.firstIndex(of: ":") else { return false }
        return line[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'")) == key.rawValue
            && line.first?.isWhitespace != true
    }

    /// A value as it stands in the file, if it is one of the key's.
    private static func written(_ text: String, as key: Key) throws(Failure) -> String {
        switch key.kind {
        case .text:
            if !text.isEmpty { _ = try Endpoint(parsing: text) }
            return JSONValue.string(text).compact
        case .number:
            guard let value = Int(text), value.magnitude < 1_000_000 else {
                throw .usage("\(key.rawValue) \"\(printable(text))\": not a whole number within a million")
            }
            return String(value)
        case .flag:
            guard let flag = Bool(text) else {
                throw .usage("\(key.rawValue) \"\(printable(text))\": expected true or false")
            }
            return String(flag)
        }
    }
}
