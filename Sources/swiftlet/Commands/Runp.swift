import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Runp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a new pod.",
        usage: "swiftlet runp [OPTIONS] POD-FILE")

    @Argument(help: "The pod's configuration: a JSON or YAML file, as crictl reads it.", completion: .file())
    var file: String

    @Option(name: .shortAndLong, help: "The runtime handler.")
    var runtime: String?

    @Option(name: [.customShort("T"), .long], help: "Give up after this time (default: 4m).")
    var cancelTimeout: String?

    func run(_ session: Session) async throws {
        let pod = try readPodConfig(file)
        let limit = try parseCancelTimeout(cancelTimeout) ?? session.slowest
        try session.console.line(try await session.runPod(pod, handler: runtime ?? "", within: limit))
    }
}

/// The time of --cancel-timeout; nil without the flag or for 0, which both mean the usual one.
func parseCancelTimeout(_ text: String?) throws(Failure) -> Duration? {
    guard let text else { return nil }
    guard let given = parseDuration(text), given >= .zero else {
        throw .usage("--cancel-timeout \"\(printable(text))\": not a length of time such as 30s")
    }
    return given > .zero ? given : nil
}

extension Session {
    /// Runs a pod and returns its id.
    func runPod(_ pod: Runtime_V1_PodSandboxConfig, handler: String, within limit: Duration) async throws -> String {
        let request = Runtime_V1_RunPodSandboxRequest.with {
            $0.config = pod
            $0.runtimeHandler = handler
        }
        return try await runtime.call(
            CRIMethods.runPodSandbox, request, within: limit, to: "run pod \"\(pod.metadata.name)\""
        ).podSandboxID
    }
}
