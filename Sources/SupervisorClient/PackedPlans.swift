import LaunchProtocol

/// The last plans of execs in a pod. Probes run few commands again and again: from its second time on, the sealed file of such a
/// plan is kept and passed, which saves the making of it, a third of what an exec costs the daemon.
struct PackedPlans {
    enum Entry {
        case unknown
        /// It came once.
        case seen
        case packed(SharedDescriptor)
    }

    /// Larger plans are not kept.
    static let bytesMax = 64 << 10
    /// Of one pod; the one that came longest ago makes room.
    static let plansMax = 4

    private var entries: [(plan: LaunchPlan, file: SharedDescriptor?)] = []

    /// How many plans are remembered, and how many files kept.
    var counts: (plans: Int, files: Int) { (entries.count, entries.count { $0.file != nil }) }

    /// Finding it makes it the latest.
    mutating func find(_ plan: LaunchPlan) -> Entry {
        guard plan.kind == .exec, let index = entries.firstIndex(where: { $0.plan == plan }) else { return .unknown }
        let entry = entries.remove(at: index)
        entries.append(entry)
        return entry.file.map { .packed($0) } ?? .seen
    }

    mutating func see(_ plan: LaunchPlan) {
        // Two callers at once may both have found nothing.
        guard !entries.contains(where: { $0.plan == plan }) else { return }
        entries.append((plan, nil))
        if entries.count > Self.plansMax { entries.removeFirst() }
    }

    mutating func keep(_ plan: LaunchPlan, _ file: SharedDescriptor) {
        guard let index = entries.firstIndex(where: { $0.plan == plan }) else { return }
        entries[index].file = file
    }
}
