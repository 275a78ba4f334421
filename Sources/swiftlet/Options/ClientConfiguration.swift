import CLICore

/// Where the runtime is and how long to wait for it: flags win over the environment, that over the file, that over defaults.
struct ClientConfiguration: Equatable, Sendable {
    /// The file that crictl reads.
    static let standardFile = "/etc/crictl.yaml"

    var runtimeEndpoint: Endpoint
    var imageEndpoint: Endpoint
    /// Nil: each command has its own.
    var timeout: Duration?
    var traces: Bool
    /// How often to try to connect again; below zero is without end.
    var retriesMax: Int
    var pullsOnCreate: Bool
    var pullsOnRun: Bool

    init(options: GlobalOptions, environment: [String: String]) throws(Failure) {
        let isNamed = options.config != nil || environment["CRI_CONFIG_FILE"] != nil
        let file = try ClientFile(at: Self.path(options, environment), mustExist: isNamed).settings
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
        timeout = file.timeout.flatMap { $0 > 0 ? .seconds($0) : nil }
        if let text = options.timeout {
            guard let given = parseDuration(text) else {
                throw .usage("--timeout \"\(printable(text))\": not a length of time such as 2s or 500ms")
            }
            // As for crictl, 0 means what suits the command.
            timeout = given > .zero ? given : nil
        }
        traces = options.debug || file.debug ?? false
        retriesMax = options.maxRetries ?? file.maxRetries ?? 0
        pullsOnCreate = file.pullImageOnCreate ?? false
        pullsOnRun = !(file.disablePullOnRun ?? false)
    }

    /// The file that is meant.
    static func path(_ options: GlobalOptions, _ environment: [String: String]) -> String {
        options.config ?? environment["CRI_CONFIG_FILE"] ?? standardFile
    }
}
