import LaunchProtocol
import Linux

/// Which of a container's streams a client asks for.
struct AttachChoice {
    var input: Bool
    var output: Bool
    var error: Bool
}

extension Supervisor {
    /// Clients of one stream at once.
    static let clientsMax = 16

    /// Joins a client to a container's streams: from now on it gets the same bytes as the log.
    mutating func attach(_ name: Bytes, _ choice: AttachChoice, id: UInt32, _ descriptors: inout DescriptorTable) {
        guard let process = process(named: name), process.isAttachable else { return refuse(id, .noProcess, name) }
        guard process.clientCount < Supervisor.clientsMax else { return refuse(id, .tooManyUsers, name) }
        let client = nextClient
        nextClient += 1
        do throws(Errno) {
            if choice.output { try join(descriptors.take(0), client, .output, of: process) }
            if choice.error { try join(descriptors.take(choice.output ? 1 : 0), client, .error, of: process) }
        } catch {
            detach(client, from: process)
            return refuse(id, error, name)
        }
        let reply = Reply.attached(client: client)
        var isSent: Void?
        if choice.input {
            // What a terminal shows and what is typed go through one descriptor.
            isSent =
                process.hasLoggedTerminal
                ? process.output.lend { send(reply, id: id, with: $0.fd) }
                : process.input.lend { send(reply, id: id, with: $0) }
        }
        if isSent == nil { send(reply, id: id) }
    }

    /// Nobody reads a client's pipe any more.
    mutating func clientLeft(_ client: UInt64) {
        for process in processes { detach(client, from: process) }
    }

    /// Takes those clients away that could not keep up, or have gone.
    mutating func drop(_ lost: [AttachedPipe], of process: SupervisedProcess) {
        for pipe in lost {
            unwatch(pipe)
            // Told before the end of file that it is about to see: that is no end of the stream.
            if pipe.loss == .slow { send(.detached(client: pipe.client), id: 0) }
            detach(pipe.client, from: process)
        }
    }

    /// The stream has ended: its clients see that when the source is closed.
    func leave(_ source: borrowing LogSource) {
        for pipe in source.clients { unwatch(pipe) }
    }

    // MARK: - Private

    private func join(
        _ pipe: consuming OwnedFD?, _ client: UInt64, _ stream: LogStreamName, of process: SupervisedProcess
    ) throws(Errno) {
        guard let pipe = pipe.take() else { throw .badDescriptor }
        try pipe.setNonBlocking(true)
        // No event is asked for: that the other end was closed is always told (epoll_ctl(2), EPOLLERR).
        try epoll.add(pipe, [], token: Token.client(client).rawValue)
        let attached = AttachedPipe(pipe, client: client)
        // A stream that has ended keeps no client: it sees the end at once.
        switch stream {
        case .output: process.output?.clients.append(attached)
        case .error: process.error?.clients.append(attached)
        }
    }

    private func detach(_ client: UInt64, from process: SupervisedProcess) {
        _ = process.output.lend { source in for pipe in source.clients where pipe.client == client { unwatch(pipe) } }
        _ = process.error.lend { source in for pipe in source.clients where pipe.client == client { unwatch(pipe) } }
        process.output?.clients.removeAll { $0.client == client }
        process.error?.clients.removeAll { $0.client == client }
    }

    /// The daemon may hold the same open file for a moment: closed here only, it would go on to be reported.
    private func unwatch(_ pipe: AttachedPipe) {
        ignoringErrors { () throws(Errno) in try epoll.remove(pipe.fd) }
    }
}
