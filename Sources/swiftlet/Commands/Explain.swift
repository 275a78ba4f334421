import ArgumentParser
import CLICore
import CRIProto
import GRPC
import SwiftProtobuf
import SwiftletAPI

struct Explain: RuntimeCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable { case text, json }

    static let configuration = CommandConfiguration(
        abstract: "Say in plain words what a pod or container is and why it is in its state.",
        usage: "swiftlet explain [OPTIONS] ID|NAME",
        discussion: """
            What it is, its state and the reason for it, what was tried with it, the end of its log if it failed, and what it \
            is isolated by. A name means the newest attempt. Against other runtimes than Swiftlet, only what the CRI tells.
            """)

    @Argument(
        help: "The id of a pod or container, the beginning of one, or its name.", completion: .subjects)
    var subject: String

    @Option(name: .shortAndLong, help: "The format: text or json.")
    var output = Format.text

    func run(_ session: Session) async throws {
        let explanation =
            switch try await found(session) {
            case .container(let id): try await container(id, session)
            case .pod(let id): try await pod(id, session)
            }
        switch output {
        case .text: try session.console.out(explanation.text)
        case .json: try session.console.line(explanation.json.pretty)
        }
    }

    private enum Subject { case pod(String), container(String) }

    /// An id before a name, and of a name's attempts the newest.
    private func found(_ session: Session) async throws -> Subject {
        guard !subject.isEmpty else { throw Failure.usage("the id or name is empty") }
        let containers = try await session.containers()
        let pods = try await session.pods()
        let ids = (containers.map(\.id) + pods.map(\.id)).filter { $0.hasPrefix(subject) }
        if !ids.isEmpty {
            let id = try resolveID(subject, among: ids, noun: "pod or container")
            return pods.contains { $0.id == id } ? .pod(id) : .container(id)
        }
        let named = containers.filter { $0.metadata.name == subject }
        let owners = Set(named.map { [$0.podSandboxID, $0.metadata.name] })
        let podsNamed = pods.filter { $0.metadata.name == subject }
        let isOne = owners.count + Set(podsNamed.map(\.metadata.namespace)).count <= 1
        guard isOne else {
            throw Failure("\"\(printable(subject))\" is the name of several pods or containers: give an id")
        }
        if let newest = named.max(by: { $0.createdAt < $1.createdAt }) { return .container(newest.id) }
        if let newest = podsNamed.max(by: { $0.createdAt < $1.createdAt }) { return .pod(newest.id) }
        throw Failure("no pod or container has the id or name \"\(printable(subject))\"")
    }

    private func container(_ id: String, _ session: Session) async throws -> Explanation {
        let response = try await session.containerStatus(id, verbose: true)
        let owner = try await session.containers().first { $0.id == id }?.podSandboxID ?? ""
        let pod = try await session.pods().first { $0.id == owner }
        let operations = try await kept(id, session)
        let now = session.console.now()
        let spec = response.info["runtimeSpec"].map(VerboseInfo.value) ?? .null
        let words = ContainerWords(response.status, pod: pod, spec: spec, operations: operations, now: now)
        var explanation = Explanation(subject: words.subject)
        explanation.add("State", words.state)
        explanation.add("What was tried", Explanation.attempts(operations, now: now))
        if words.hasFailed { explanation.add("End of its log", LogEnd.lines(of: response.status.logPath)) }
        explanation.add("Isolation", IsolationWords.lines(spec))
        return explanation
    }

    private func pod(_ id: String, _ session: Session) async throws -> Explanation {
        let response = try await session.podStatus(id, verbose: true)
        let containers = try await session.containers(.with { $0.podSandboxID = id })
        let operations = try await kept(id, session)
        let now = session.console.now()
        let words = PodWords(response.status, containers: containers, operations: operations, now: now)
        var explanation = Explanation(subject: words.subject)
        explanation.add("State", words.state)
        explanation.add("Containers", words.containers)
        explanation.add("What was tried", Explanation.attempts(operations, now: now))
        return explanation
    }

    /// Empty against runtimes that keep none.
    private func kept(_ id: String, _ session: Session) async throws -> [Swiftlet_V1_Operation] {
        do {
            return try await session.runtime.call(
                NodeMethods.listOperations, .with { $0.id = id }, within: session.quick, to: "list operations"
            ).operations
        } catch {
            guard error.code == .unimplemented || error.code == .notFound else { throw error }
            return []
        }
    }
}
