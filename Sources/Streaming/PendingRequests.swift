import Model
import Synchronization

/// What a URL stands for.
enum StreamRequest: Sendable {
    case command(RemoteCommand.Work)
    case forward(PodID, ports: [UInt16])

    /// The first part of the URL's path.
    var place: String {
        switch self {
        case .command(.exec): "exec"
        case .command(.attach): "attach"
        case .forward: "portforward"
        }
    }
}

/// The token store, as the callers of the CRI and the event loop share it.
final class PendingRequests: Sendable {
    private let store: Mutex<TokenStore<StreamRequest>>

    init(_ configuration: StreamingConfiguration) {
        store = Mutex(TokenStore(life: configuration.tokenLife, countMax: configuration.tokensMax))
    }

    /// The path of a new URL.
    func add(_ request: StreamRequest) throws(Fault) -> String {
        let token = try store.withLock { store throws(Fault) in try store.add(request, at: .now) }
        return "/\(request.place)/\(token)"
    }

    /// The request behind a path, once. A token at another place than its own is used up.
    func redeem(_ path: String) -> StreamRequest? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].isEmpty else { return nil }
        guard let request = store.withLock({ $0.redeem(String(parts[2]), at: .now) }) else { return nil }
        return request.place == parts[1] ? request : nil
    }

    func sweep() { store.withLock { $0.sweep(at: .now) } }

    var count: Int { store.withLock { $0.count } }
}
