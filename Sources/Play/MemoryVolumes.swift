extension VolumeManifest {
    /// Whether its files live in memory alone: what is in a Secret never comes to a disk.
    package var isInMemory: Bool {
        switch source {
        case .emptyDir(let isInMemory, _): isInMemory
        case .secret, .downwardAPI, .projected: true
        case .hostPath, .configMap: false
        }
    }

    /// How large it may become if it is in memory: no larger than the pod's own memory, as a kubelet has it.
    package func memoryBytes(in pod: PodManifest, nodeMemoryBytes: Int64) -> Int64 {
        var sizes = [nodeMemoryBytes] + (pod.memoryLimit.map { [$0] } ?? [])
        // 0 is no limit.
        if case .emptyDir(_, let limit?) = source, limit > 0 { sizes.append(limit) }
        return max(Self.leastBytes, sizes.min() ?? 0)
    }

    /// To tmpfs a size of 0 is no limit at all.
    private static let leastBytes: Int64 = 4096
}

extension PodManifest {
    /// The memory that all containers may use together; nil if one of them has no limit.
    fileprivate var memoryLimit: Int64? {
        var together: Int64 = 0
        var alone: Int64 = 0
        for container in containers {
            guard let limit = container.limits["memory"].flatMap(Quantity.init)?.whole, limit > 0 else { return nil }
            if container.role == .initial {
                alone = max(alone, limit)
            } else {
                let (sum, isOver) = together.addingReportingOverflow(limit)
                together = isOver ? .max : sum
            }
        }
        return max(together, alone)
    }
}
