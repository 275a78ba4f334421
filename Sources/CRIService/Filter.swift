import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

/// The filters of list calls: all parts that are set must hold.
enum Filter {
    static func pods(_ filter: Runtime_V1_PodSandboxFilter?, in inventory: Inventory) throws(Fault) -> [PodSnapshot] {
        guard let filter else { return inventory.pods() }
        var wantsReady: Bool?
        if filter.hasState {
            switch filter.state.state {
            case .sandboxReady: wantsReady = true
            case .sandboxNotready: wantsReady = false
            case .UNRECOGNIZED(let number): throw Fault.invalid("filter.state: unknown value \(number)")
            }
        }
        try Check.map(filter.labelSelector, "filter.label_selector")
        let id = try prefix(filter.id, "filter.id")
        return inventory.pods().filter { pod in
            (id.isEmpty || pod.record.id.text.hasPrefix(id)) && (wantsReady ?? pod.isReady) == pod.isReady
                && matches(pod.record.config.labels, filter.labelSelector)
        }
    }

    static func containers(_ filter: Runtime_V1_ContainerFilter?, in inventory: Inventory) throws(Fault)
        -> [ContainerSnapshot]
    {
        guard let filter else { return inventory.containers() }
        var wanted: Runtime_V1_ContainerState?
        if filter.hasState {
            if case .UNRECOGNIZED(let number) = filter.state.state {
                throw Fault.invalid("filter.state: unknown value \(number)")
            }
            wanted = filter.state.state
        }
        try Check.map(filter.labelSelector, "filter.label_selector")
        let id = try prefix(filter.id, "filter.id")
        let pod = try prefix(filter.podSandboxID, "filter.pod_sandbox_id")
        return inventory.containers().filter { container in
            (id.isEmpty || container.record.id.text.hasPrefix(id))
                && (pod.isEmpty || container.record.podID.text.hasPrefix(pod))
                && (wanted.map { $0 == Present.state(container.state) } ?? true)
                && matches(container.record.config.labels, filter.labelSelector)
        }
    }

    static func pods(_ filter: Runtime_V1_PodSandboxStatsFilter?, in inventory: Inventory) throws(Fault)
        -> [PodSnapshot]
    {
        guard let filter else { return inventory.pods() }
        let same = Runtime_V1_PodSandboxFilter.with {
            $0.id = filter.id
            $0.labelSelector = filter.labelSelector
        }
        return try pods(same, in: inventory)
    }

    static func containers(_ filter: Runtime_V1_ContainerStatsFilter?, in inventory: Inventory) throws(Fault)
        -> [ContainerSnapshot]
    {
        guard let filter else { return inventory.containers() }
        let same = Runtime_V1_ContainerFilter.with {
            $0.id = filter.id
            $0.podSandboxID = filter.podSandboxID
            $0.labelSelector = filter.labelSelector
        }
        return try containers(same, in: inventory)
    }

    private static func prefix(_ text: String, _ field: String) throws(Fault) -> String {
        try Check.text(text, field, bytesMax: 4096)
        return text
    }

    private static func matches(_ labels: [String: String], _ selector: [String: String]) -> Bool {
        selector.allSatisfy { labels[$0.key] == $0.value }
    }
}
