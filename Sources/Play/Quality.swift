/// The quality-of-service class of a pod, by which the kernel chooses what to kill when memory runs out.
package enum QualityOfService: String, Sendable { case Guaranteed, Burstable, BestEffort }

extension PodManifest {
    /// As the API defines it: from the requests and limits of processor time and memory of all containers.
    package var quality: QualityOfService {
        let all = containers.flatMap { container in
            ["cpu", "memory"].map {
                (request: container.request($0), limit: container.limits[$0].flatMap(Quantity.init))
            }
        }
        if all.allSatisfy({ ($0.request?.thousandths ?? 0) == 0 && ($0.limit?.thousandths ?? 0) == 0 }) {
            return .BestEffort
        }
        return all.allSatisfy { $0.limit != nil && $0.request == $0.limit } ? .Guaranteed : .Burstable
    }

    /// The kubelet's oom_score_adj for a container on a node with this much memory.
    package func killScore(of container: ContainerManifest, nodeMemoryBytes: Int64) -> Int64 {
        switch quality {
        case .Guaranteed: return -997
        case .BestEffort: return 1000
        case .Burstable:
            let request = Double(container.request("memory")?.whole ?? 0)
            let share = nodeMemoryBytes > 0 ? request / Double(nodeMemoryBytes) : 0
            return min(999, max(3, 1000 - Int64((min(share, 1) * 1000).rounded(.down))))
        }
    }
}

extension ContainerManifest {
    /// What it asks for; a limit alone is also a request.
    package func request(_ resource: String) -> Quantity? {
        (requests[resource] ?? limits[resource]).flatMap(Quantity.init)
    }
}
