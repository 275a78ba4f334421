extension Reply {
    /// Numbers of replies on the wire, given once and for ever.
    package enum Kind: UInt16, Sendable, CaseIterable {
        case hello = 0x8001
        case container = 0x8002
        case snapshotEnd = 0x8003
        case launched = 0x8004
        case held = 0x8005
        case launchFailed = 0x8006
        case refused = 0x8007
        case done = 0x8008
        case socket = 0x8009
        case exited = 0x800a
        case attached = 0x800b
        case detached = 0x800c
    }

    package var kind: Kind {
        switch self {
        case .hello: .hello
        case .container: .container
        case .snapshotEnd: .snapshotEnd
        case .launched: .launched
        case .held: .held
        case .launchFailed: .launchFailed
        case .refused: .refused
        case .done: .done
        case .socket: .socket
        case .exited: .exited
        case .attached: .attached
        case .detached: .detached
        }
    }

    func body(_ writer: inout WireWriter) {
        switch self {
        case .snapshotEnd, .done, .socket: break
        case .hello(let podID, let supervisorPID, let version):
            writer.name(podID)
            writer.integer(supervisorPID)
            writer.integer(version)
        case .container(let state): state.body(&writer)
        case .launched(let process, let pid, let startedAtNanoseconds):
            writer.name(process)
            writer.integer(pid)
            writer.integer(startedAtNanoseconds)
        case .held(let process, let pid, let point):
            writer.name(process)
            writer.integer(pid)
            writer.integer(point.rawValue)
        case .launchFailed(let process, let stepIndex, let errno, let detail):
            writer.name(process)
            writer.integer(stepIndex)
            writer.integer(errno)
            writer.detail(detail)
        case .refused(let errno, let detail):
            writer.integer(errno)
            writer.detail(detail)
        case .exited(let record): record.body(&writer)
        case .attached(let client), .detached(let client): writer.integer(client)
        }
    }

    init(_ kind: Kind, _ reader: inout WireReader) throws(WireError) {
        switch kind {
        case .hello:
            self = .hello(podID: try reader.name(), supervisorPID: try reader.i32(), version: try reader.u16())
        case .container: self = .container(try ProcessState(&reader))
        case .snapshotEnd: self = .snapshotEnd
        case .launched:
            self = .launched(
                process: try reader.name(), pid: try reader.i32(), startedAtNanoseconds: try reader.i64())
        case .held:
            self = .held(
                process: try reader.name(), pid: try reader.i32(), point: try reader.choice(HoldPoint.self))
        case .launchFailed:
            self = .launchFailed(
                process: try reader.name(), stepIndex: try reader.u32(), errno: try reader.i32(),
                detail: try reader.detail())
        case .refused: self = .refused(errno: try reader.i32(), detail: try reader.detail())
        case .done: self = .done
        case .socket: self = .socket
        case .exited: self = .exited(try ExitRecord(&reader))
        case .attached: self = .attached(client: try reader.u64())
        case .detached: self = .detached(client: try reader.u64())
        }
    }
}

extension BirthFailure {
    /// Its number on the wire.
    static let kind: UInt16 = 0x4001

    func body(_ writer: inout WireWriter) {
        writer.integer(stepIndex)
        writer.integer(errno)
        writer.detail(detail)
    }

    init(_ reader: inout WireReader) throws(WireError) {
        self.init(stepIndex: try reader.u32(), errno: try reader.i32(), detail: try reader.detail())
    }
}

extension WireWriter {
    /// A report is cut, never refused: the errno has to arrive.
    fileprivate mutating func detail(_ value: Bytes) {
        bytes(Bytes(value.prefix(WireLimits.detailBytes)), bytesMax: WireLimits.detailBytes)
    }
}

extension WireReader {
    fileprivate mutating func detail() throws(WireError) -> Bytes { try bytes(bytesMax: WireLimits.detailBytes) }
}
