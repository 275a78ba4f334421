import ArgumentParser
import CLICore
import CRIProto
import SwiftletAPI
import SwiftProtobuf

struct Pulls: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch the pulls of images, whoever asked for them.",
        usage: "swiftlet pulls [OPTIONS] [NAME[:TAG|@DIGEST]]",
        discussion: """
            Shows the pulls of a kubelet and of others until interrupted: bars on a terminal, else a line for each change. \
            Only swiftletd tells of them.
            """)

    @Argument(help: "Only pulls of this image.")
    var name: String?

    @Flag(help: "Show what is under way now, and end.")
    var once = false

    @Option(name: .shortAndLong, help: "The format: table (bars or lines) or json, a message a line.")
    var output = Format.table

    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable { case table, json }

    func run(_ session: Session) async throws {
        let request = Swiftlet_V1_WatchPullsRequest.with { $0.image = name ?? "" }
        let console = session.console
        if output == .table, console.outputIsTerminal, !once { return try await showBars(request, session) }
        var lines = PullLines()
        try await watch(request, session) { message in
            switch output {
            case .json: try console.line(try message.jsonString())
            case .table:
                let text = lines.take(message.pulls, at: .now).map { $0 + "\n" }.joined()
                if !text.isEmpty { try console.out(text) }
            }
            if once { throw Ended() }
        }
    }

    private struct Ended: Error {}

    private func showBars(_ request: Swiftlet_V1_WatchPullsRequest, _ session: Session) async throws {
        let screen = PullsScreen(console: session.console)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: .milliseconds(500))
                    try await screen.refresh()
                }
            }
            group.addTask { try await watch(request, session) { try await screen.take($0.pulls) } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func watch(
        _ request: Swiftlet_V1_WatchPullsRequest, _ session: Session,
        _ body: (Swiftlet_V1_WatchPullsResponse) async throws -> Void
    ) async throws {
        do {
            try await session.images.stream(NodeMethods.watchPulls, request, to: "watch pulls", body)
        } catch is Ended {
            return
        }
    }
}
