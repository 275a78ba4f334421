import CNI
import Lifecycle
import Linux
import Model

/// The lifecycle's network, by way of `CNI`.
struct NetworkAdapter: NetworkPort {
    let cni: CNI
    let paths: Layout

    func attach(_ pod: PodID, config: PodConfig, cgroup: String) async throws -> Lifecycle.NetworkAttachment {
        do {
            let attachment = try await cni.attach(
                NetworkRequest(
                    pod: pod, config: config, networkNamespace: paths.networkNamespace(pod), cgroupPath: cgroup),
                watch: Self.watch)
            return Lifecycle.NetworkAttachment(
                addresses: attachment.addresses.map(\.description),
                pluginMicroseconds: attachment.pluginTime.microseconds)
        } catch let error as CNIError {
            throw error.fault
        }
    }

    func release(_ pod: PodID) async throws {
        do {
            _ = try await cni.detach(
                pod, networkNamespace: isPinned(pod) ? paths.networkNamespace(pod) : nil, watch: Self.watch)
        } catch let error as CNIError {
            throw error.fault
        }
    }

    func unreadyReason() async -> String? {
        do {
            return try await cni.problem()?.description
        } catch {
            return "look for a network configuration: \(error)"
        }
    }

    func attached() async throws -> [PodID] {
        do throws(CNIError) { return try cni.attachedPods() } catch { throw error.fault }
    }

    /// Makes each plugin a stage of the operation that asks.
    private static var watch: CNI.PluginWatch? {
        guard let place = StagePlace.current else { return nil }
        return { plugin, command in
            let stage = place.begin(.plugin, "\(plugin) \(command)")
            return { isWell in stage?.end(failed: !isWell) }
        }
    }

    /// A namespace is there, and not only the file that it would be pinned on.
    private func isPinned(_ pod: PodID) -> Bool {
        do throws(Errno) {
            return try OwnedFD.open(Path(paths.networkNamespace(pod)), [.path]).filesystemMagic() == .nsfs
        } catch {
            return false
        }
    }
}

extension Duration {
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
