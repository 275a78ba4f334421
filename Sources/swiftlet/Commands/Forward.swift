import ArgumentParser
import CLICore
import CRIProto
import StreamClient
import SwiftProtobuf

struct Forward: RuntimeCommand {
    static let configuration = CommandConfiguration(
        commandName: "port-forward", abstract: "Lead connections to ports of this machine into a pod.",
        usage: "swiftlet port-forward [OPTIONS] POD [LOCAL:]REMOTE ...",
        discussion: """
            Goes on until it is interrupted, or the runtime ends it. Without LOCAL the local port has the same number; with \
            an empty one, as in :80, the system chooses it. A connection that fails is said and ends no other.
            """)

    @Option(
        parsing: .singleValue,
        help: "The local address to listen on: localhost means 127.0.0.1 and ::1. May be repeated.")
    var address: [String] = ["localhost"]

    @OptionGroup(title: "Streams") var stream: StreamFlags

    @Argument(help: "The pod's id or the beginning of it.", completion: .pods)
    var pod: String

    @Argument(help: "Ports: 8080, 8080:80 or :80.")
    var ports: [PortPair]

    func validate() throws {
        if ports.isEmpty { throw ValidationError("expected a port after the pod's id") }
    }

    func run(_ session: Session) async throws {
        guard let id = try await session.podIDs([pod]).first else { return }
        let operation = "forward ports to pod \"\(shortID(id))\""
        let url = try await session.runtime.call(
            CRIMethods.portForward, .with { $0.podSandboxID = id }, within: session.quick, to: operation
        ).url
        let console = session.console
        do {
            let forward = try await PortForward.open(StreamURL(url), stream.options) { failure in
                bestEffort { try console.err("swiftlet: \(printable(failure.description))\n") }
            }
            defer { forward.close() }
            try await listen(forward, console)
            throw await withTaskCancellationHandler {
                await forward.end()
            } onCancel: {
                forward.close()
            }
        } catch let error as StreamError {
            throw Failure("\(operation): \(error)")
        }
    }

    /// Listens wherever it can; fails only if that is nowhere.
    private func listen(_ forward: PortForward, _ console: Console) async throws {
        var last: StreamError?
        var count = 0
        for pair in ports {
            var local = pair.local
            for host in address.flatMap(Self.hosts) {
                do {
                    let port = try await forward.listen(on: host.text, port: local, to: pair.remote)
                    count += 1
                    // One number for all addresses.
                    if local == 0 { local = port }
                    let shown = host.text.contains(":") ? "[\(host.text)]" : host.text
                    try console.line("Forwarding from \(shown):\(port) -> \(pair.remote)")
                } catch let error as StreamError {
                    guard host.isWanted else { continue }
                    if let last { try console.err("swiftlet: \(printable(last.description))\n") }
                    last = error
                }
            }
        }
        guard let last else { return }
        if count == 0 { throw last }
        try console.err("swiftlet: \(printable(last.description))\n")
    }

    /// A machine without IPv6 has no ::1, and nobody misses it.
    private static func hosts(_ address: String) -> [(text: String, isWanted: Bool)] {
        address == "localhost" ? [("127.0.0.1", true), ("::1", false)] : [(address, true)]
    }
}

/// A port of this machine and the pod's port that it stands for.
struct PortPair: ExpressibleByArgument, Equatable, Sendable {
    /// 0 lets the system choose.
    var local: UInt16
    var remote: UInt16

    init(local: UInt16, remote: UInt16) { (self.local, self.remote) = (local, remote) }

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        func port(_ text: Substring) -> UInt16? { text.allSatisfy(\.isNumber) ? UInt16(text) : nil }
        guard let last = parts.last, let remote = port(last), remote > 0 else { return nil }
        self.remote = remote
        switch parts.count {
        case 1: local = remote
        case 2 where parts[0].isEmpty: local = 0
        case 2:
            guard let local = port(parts[0]) else { return nil }
            self.local = local
        default: return nil
        }
    }
}
