extension Request {
    /// Numbers of requests on the wire, given once and for ever.
    package enum Kind: UInt16, Sendable, CaseIterable {
        case snapshot = 1
        case launch = 2
        case release = 3
        case reopenLog = 4
        case closeStdin = 5
        case resizeTerminal = 6
        case forget = 7
        case makeSocket = 8
        case shutdown = 9
        case attach = 10
    }

    package var kind: Kind {
        switch self {
        case .snapshot: .snapshot
        case .launch: .launch
        case .release: .release
        case .reopenLog: .reopenLog
        case .closeStdin: .closeStdin
        case .resizeTerminal: .resizeTerminal
        case .forget: .forget
        case .makeSocket: .makeSocket
        case .shutdown: .shutdown
        case .attach: .attach
        }
    }

    func body(_ writer: inout WireWriter) {
        switch self {
        case .snapshot, .shutdown: break
        case .launch(let process, let container, let untilExit):
            writer.name(process)
            writer.name(container, mayBeEmpty: true)
            if untilExit { writer.bool(true) }
        case .release(let process, let go):
            writer.name(process)
            writer.bool(go)
        case .reopenLog(let container), .closeStdin(let container): writer.name(container)
        case .resizeTerminal(let process, let rows, let columns):
            writer.name(process)
            writer.integer(rows)
            writer.integer(columns)
        case .forget(let process): writer.name(process)
        case .makeSocket(let ipv6): writer.bool(ipv6)
        case .attach(let container, let input, let output, let error):
            writer.name(container)
            writer.bool(input)
            writer.bool(output)
            writer.bool(error)
        }
    }

    init(_ kind: Kind, _ reader: inout WireReader) throws(WireError) {
        switch kind {
        case .snapshot: self = .snapshot
        case .launch:
            self = .launch(
                process: try reader.name(), container: try reader.name(mayBeEmpty: true),
                untilExit: reader.remaining > 0 ? try reader.bool() : false)
        case .release: self = .release(process: try reader.name(), go: try reader.bool())
        case .reopenLog: self = .reopenLog(container: try reader.name())
        case .closeStdin: self = .closeStdin(container: try reader.name())
        case .resizeTerminal:
            self = .resizeTerminal(process: try reader.name(), rows: try reader.u16(), columns: try reader.u16())
        case .forget: self = .forget(process: try reader.name())
        case .makeSocket: self = .makeSocket(ipv6: try reader.bool())
        case .shutdown: self = .shutdown
        case .attach:
            self = .attach(
                container: try reader.name(), input: try reader.bool(), output: try reader.bool(),
                error: try reader.bool())
        }
    }
}
