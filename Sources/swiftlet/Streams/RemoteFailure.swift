import CLICore

extension Failure {
    /// What kubelets expect a streaming server to put before its reason; it tells a person nothing.
    private static let preambles = [
        "Internal error occurred: ", "error executing command in container: ", "error attaching to container: ",
    ]

    /// A failure that came over streams, as a sentence that names the operation once.
    static func remote(_ operation: String, _ reason: String) -> Failure {
        var words = reason[...]
        for preamble in preambles where words.hasPrefix(preamble) { words = words.dropFirst(preamble.count) }
        return Failure(CRIConnection.joined(operation, String(words)))
    }
}
