import LaunchProtocol
import Linux

/// The daemon's connection. There is one at a time.
struct ControlConnection: ~Copyable {
    let socket: PacketSocket
    let number: UInt64
}

extension Supervisor {
    /// Takes a connection of root; the newest replaces the one before, which belongs to a daemon that is gone or is being replaced.
    mutating func acceptConnection() {
        do throws(Errno) {
            guard let socket = try listener.accept() else { return }
            guard try socket.peer().uid == 0 else { return }
            let number = connections + 1
            try epoll.add(socket.fd, [.readable, .peerClosed], token: Token.connection(number).rawValue)
            connections = number
            connection = ControlConnection(socket: socket, number: number)
        } catch {
            // A peer that has gone already; or no descriptor is free, and then the old connection gives up its own.
            if error == .tooManyFiles { disconnect() }
            return
        }
        send(.hello(podID: podID, supervisorPID: pid, version: Wire.version), id: 0)
    }

    /// One request a turn, so that no client keeps containers' output waiting.
    mutating func serve(connection number: UInt64) {
        guard connections == number else { return }
        do throws(Errno) {
            let received = try connection.lend { connection throws(Errno) in
                try connection.socket.receive(max: WireLimits.datagramBytes)
            }
            guard let outer = received else { return }
            guard var packet = outer else { return disconnect() }
            serve(packet.bytes, &packet.descriptors)
        } catch {
            if error != .again && error != .messageTooLong { disconnect() }
        }
    }

    private mutating func serve(_ bytes: Bytes, _ descriptors: inout DescriptorTable) {
        do throws(WireError) {
            let (id, request) = try Frame.decodeRequest(bytes)
            carryOut(request, id: id, &descriptors)
        } catch {
            if case .unknownKind(_, let id) = error { return refuse(id, .noSystemCall, "request") }
            do throws(WireError) {
                refuse(try Frame.decodeHeader(bytes).id, .protocolError, "request")
            } catch {
                disconnect()
            }
        }
    }

    private mutating func carryOut(_ request: Request, id: UInt32, _ descriptors: inout DescriptorTable) {
        switch request {
        case .snapshot: sendSnapshot(id: id)
        case .launch(let name, let container, let untilExit):
            launch(name, container: container, untilExit: untilExit, id: id, &descriptors)
        case .release(let name, let go): release(name, go: go, id: id)
        case .reopenLog(let name): reopenLog(name, id: id, &descriptors)
        case .closeStdin(let name): closeStdin(name, id: id)
        case .resizeTerminal(let name, let rows, let columns):
            resizeTerminal(name, rows: rows, columns: columns, id: id)
        case .forget(let name): forget(name, id: id)
        case .makeSocket(let ipv6): makeSocket(ipv6: ipv6, id: id)
        case .attach(let name, let input, let output, let error):
            attach(name, AttachChoice(input: input, output: output, error: error), id: id, &descriptors)
        case .shutdown: shutDown(id: id)
        }
    }

    // MARK: - Answers

    mutating func send(_ reply: Reply, id: UInt32) {
        deliver(reply, id) { socket, bytes throws(Errno) in try socket.send(bytes) }
    }

    mutating func send(_ reply: Reply, id: UInt32, with fd: borrowing OwnedFD) {
        deliver(reply, id) { socket, bytes throws(Errno) in try socket.send(bytes, with: fd) }
    }

    mutating func send(_ reply: Reply, id: UInt32, with first: borrowing OwnedFD, _ second: borrowing OwnedFD) {
        deliver(reply, id) { socket, bytes throws(Errno) in try socket.send(bytes, with: first, second) }
    }

    mutating func refuse(_ id: UInt32, _ errno: Errno, _ detail: Path) { refuse(id, errno, detail.bytes) }

    mutating func refuse(_ id: UInt32, _ errno: Errno, _ detail: Bytes) {
        send(.refused(errno: errno.number, detail: detail), id: id)
    }

    /// The id for what concerns a launch: the request's, or 0 where the connection that asked is gone.
    func replyID(_ process: SupervisedProcess) -> UInt32 {
        process.connection == connections ? process.request : 0
    }

    mutating func disconnect() { connection = nil }

    /// A daemon that does not read, or is gone, loses its connection; it finds everything in the snapshot of its next one.
    private mutating func deliver(
        _ reply: Reply, _ id: UInt32, _ send: (borrowing PacketSocket, Bytes) throws(Errno) -> Void
    ) {
        do throws(WireError) {
            let bytes = try Frame.encode(reply, id: id)
            do throws(Errno) {
                _ = try connection.lend { connection throws(Errno) in try send(connection.socket, bytes) }
            } catch {
                disconnect()
            }
        } catch {
            // Every reply is made of values that came through the decoder.
            disconnect()
        }
    }
}
