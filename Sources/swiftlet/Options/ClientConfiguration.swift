import CLICore
import Foundation

/// Where the runtime is and how long to wait for it: flags win over the environment, that over the file, that over defaults.
struct ClientConfiguration: Equatable, Sendable {
    /// The file that crictl reads.
    static let standardFile = "/etc/crictl.yaml"

    var runtimeEndpoint: Endpoint
    var imageEndpoint: Endpoint
    /// Nil: each command has its own.
    var timeout: Duration?
    var traces: Bool

    init(options: GlobalOptions, environment: [String: String]) throws(Failure) {
        let file = try FileSettings(at: options.config ?? Self.standardFile, mustExist: options.config != nil)
        let runtime = options.runtimeEndpoint ?? environment["CONTAINER_RUNTIME_ENDPOINT"] ?? file.runtimeEndpoint
        let image = options.imageEndpoint ?? environment["IMAGE_SERVICE_ENDPOINT"] ?? file.imageEndpoint
        if let runtime, !runtime.isEmpty {
            runtimeEndpoint = try Endpoint(parsing: runtime)
        } else {
            runtimeEndpoint = .standard
        }
        if let image, !image.isEmpty {
            imageEndpoint = try Endpoint(parsing: image)
        } else {
            imageEndpoint = runtimeEndpoint
        }
        timeout = file.timeout
        if let text = options.timeout {
            guard let given = parseDuration(text), given > .zero else {
                throw .usage("--timeout \"\(printable(text))\": not a length of time such as 2s or 500ms")
            }
            timeout = given
        }
        traces = options.debug || file.debug
    }
}

/// What the file says; keys that crictl knows and this program has no use for are accepted.
private struct FileSettings {
    var runtimeEndpoint: String?
    var imageEndpoint: String?
    var timeout: Duration?
    var debug = false

    init(at path: String, mustExist: Bool) throws(Failure) {
        guard mustExist || FileManager.default.fileExists(atPath: path) else { return }
        let tree = try ConfigurationFile.read(path)
        guard tree != .null else { return }
        guard case .object(let members) = tree else {
            throw Failure("\(path): expected keys and values, found \(tree.kind)")
        }
        for member in members {
            switch (member.name, member.value) {
            case ("runtime-endpoint", .string(let text)): runtimeEndpoint = text
            case ("image-endpoint", .string(let text)): imageEndpoint = text
            case ("timeout", .number(let digits)):
                guard let seconds = Int64(digits), seconds < 1_000_000 else {
                    throw Failure("\(path): timeout is not a number of seconds")
                }
                if seconds > 0 { timeout = .seconds(seconds) }
            case ("debug", .bool(let flag)): debug = flag
            case ("pull-image-on-create", .bool), ("disable-pull-on-run", .bool), (_, .null): continue
            default:
                throw Failure(
                    "\(path): \(printable(member.name)) is not a key of this file, or has \(member.value.kind) as value"
                )
            }
        }
    }
}
