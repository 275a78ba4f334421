/// Limits and hooks of a server; every buffer, queue and wait that a client can cause has its bound here.
package struct GRPCServerConfiguration: Sendable {
    /// Largest request message; the kubelet's own limit is the same 16 MiB.
    package var requestBytesMax = 16 << 20

    /// Largest response message.
    package var responseBytesMax = 16 << 20

    /// Bytes of requests and of responses not yet taken that the whole server holds; beyond it calls get
    /// RESOURCE_EXHAUSTED.
    package var bufferedBytesMax = 32 << 20

    /// Calls at once on one connection: a kubelet with 110 pods puts hundreds of them on its single connection.
    package var concurrentStreamsMax = 1000

    /// Method bodies at once in the whole server, counting those whose client has gone but which still finish their
    /// work.
    package var runningBodiesMax = 4096

    /// Connections at once; the one that has been without a call longest gives way to a new one.
    package var connectionsMax = 256

    /// How long a new connection may take to send its HTTP/2 preface and settings.
    package var prefaceTimeout = Duration.seconds(10)

    /// How long a call may wait for its client: for the rest of a request, or until the client takes a response.
    package var stallTimeout = Duration.seconds(60)

    /// Asked before every call with its path: a status refuses the call, for example UNAVAILABLE during recovery.
    package var gate: (@Sendable (_ path: String) -> GRPCStatus?)?

    /// Told about every call at its end, on the event loop: it must not block.
    package var onCallEnd: (@Sendable (CallReport) -> Void)?

    /// Where bodies that are not inline run; nil = the tasks' own threads.
    package var bodyExecutor: (any TaskExecutor)?

    /// The defaults, without hooks.
    package init() {}
}
