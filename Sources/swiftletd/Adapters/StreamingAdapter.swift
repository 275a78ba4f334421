import CRIService
import Model
import Streaming

/// The URLs of the streaming server.
struct StreamingAdapter: StreamingPort {
    let server: StreamingServer

    func execURL(_ container: ContainerID, command: [String], _ streams: StreamSelection) throws(Fault) -> String {
        try server.execURL(ExecStream(container: container, command: command, streams: Self.choice(streams)))
    }

    func attachURL(_ container: ContainerID, _ streams: StreamSelection) throws(Fault) -> String {
        try server.attachURL(AttachStream(container: container, streams: Self.choice(streams)))
    }

    func portForwardURL(_ pod: PodID, ports: [UInt16]) throws(Fault) -> String {
        try server.portForwardURL(pod: pod, ports: ports)
    }

    private static func choice(_ streams: StreamSelection) -> StreamChoice {
        StreamChoice(stdin: streams.stdin, stdout: streams.stdout, stderr: streams.stderr, tty: streams.tty)
    }
}
