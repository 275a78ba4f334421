/// What a method body may know about the call that it answers.
package struct CallContext: Sendable {
    /// The path of the method, such as "/runtime.v1.RuntimeService/Version".
    package let path: String

    /// The headers of the request.
    package let metadata: GRPCMetadata

    /// When the client stops waiting; at this moment the body's task is cancelled.
    package let deadline: ContinuousClock.Instant?

    /// The process that connected.
    package let peer: PeerCredentials?
}

/// How a call went, for logs and metrics.
package struct CallReport: Sendable {
    package let path: String
    package let status: GRPCStatus
    package let duration: Duration
    package let requestBytes: Int
    package let responseBytes: Int
    package let peer: PeerCredentials?
}
