package import LaunchProtocol
package import Linux

/// A client's place at a container's streams.
package struct Attached: Sendable {
    /// Its number, until the supervisor ends.
    package var client: UInt64
    /// What is written here is the container's input; nil where it has none, or has none any more.
    package var input: FDHandover?
}

extension SupervisorConnection {
    /// Joins a client to the streams of a running container.
    ///
    /// - Parameters:
    ///   - output: the write end of the client's pipe, non-blocking; what the pipe cannot hold, the client misses.
    ///   - onCut: called on the reactor's thread, at most once, when the client has lost its place as it did not keep up.
    ///     The end of file in its pipes comes after that.
    package func attach(
        to container: Bytes, input: Bool, output: consuming OwnedFD?, error: consuming OwnedFD?,
        onCut: @escaping @Sendable () -> Void
    ) async throws(SupervisorError) -> Attached {
        var descriptors = DescriptorTable()
        let request = Request.attach(container: container, input: input, output: output != nil, error: error != nil)
        if let output = output.take() { descriptors.append(output) }
        if let error = error.take() { descriptors.append(error) }
        let answer = try await ask(
            request, descriptors: descriptors, deadline: Self.requestDeadline, operation: "attach", onCut: onCut)
        guard case .attached(let attached) = answer else { throw .protocolViolation("no answer to an attach") }
        return attached
    }

    /// The client has left: nothing is told of it any more. That its pipes are closed tells the supervisor.
    package func leave(_ client: UInt64) { forgetClient(client) }
}
