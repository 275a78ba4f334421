import LaunchProtocol
import Linux

extension Supervisor {
    mutating func sendSnapshot(id: UInt32) {
        for process in processes {
            guard let state = process.state else { continue }
            let sent: Void? =
                process.phase == .running
                ? process.pidfd.lend { pidfd in send(.container(state), id: id, with: pidfd.fd) } : nil
            if sent == nil { send(.container(state), id: id) }
        }
        send(.snapshotEnd, id: id)
    }

    mutating func reopenLog(_ name: Bytes, id: UInt32, _ descriptors: inout DescriptorTable) {
        guard let process = process(named: name) else { return refuse(id, .noEntry, name) }
        guard let file = descriptors.take(0) else { return refuse(id, .badDescriptor, name) }
        process.log.switch(to: file)
        send(.done, id: id)
    }

    mutating func closeStdin(_ name: Bytes, id: UInt32) {
        guard let process = process(named: name) else { return refuse(id, .noEntry, name) }
        process.input = nil
        send(.done, id: id)
    }

    mutating func resizeTerminal(_ name: Bytes, rows: UInt16, columns: UInt16, id: UInt32) {
        guard let process = process(named: name) else { return refuse(id, .noEntry, name) }
        guard process.hasLoggedTerminal else { return refuse(id, .noTerminal, name) }
        do throws(Errno) {
            let done: Void? = try process.output.lend { source throws(Errno) in
                try source.fd.setTerminalSize(rows: rows, columns: columns)
            }
            if done == nil { return refuse(id, .noProcess, name) }
            send(.done, id: id)
        } catch {
            refuse(id, error, name)
        }
    }

    mutating func forget(_ name: Bytes, id: UInt32) {
        if let process = process(named: name) {
            guard process.phase == .exited else { return refuse(id, .busy, name) }
            process.phase = .abandoned
            removeIfReaped(process)
        }
        send(.done, id: id)
    }

    mutating func makeSocket(ipv6: Bool, id: UInt32) {
        do throws(Errno) {
            send(.socket, id: id, with: try PodNetwork.makeSocket(ipv6: ipv6))
        } catch {
            refuse(id, error, "socket")
        }
    }

    mutating func shutDown(id: UInt32) {
        for process in processes where process.isAlive { return refuse(id, .busy, process.name) }
        send(.done, id: id)
        ignoringErrors { () throws(Errno) in try podDirectory.unlink(Path(Birth.socketName)) }
        isOver = true
    }
}
