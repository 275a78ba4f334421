package import Model
import Synchronization

/// A pod as lists and statuses show it.
package struct PodSnapshot: Sendable {
    package var record: PodRecord
    package var isReady: Bool
}

/// A container as lists and statuses show it.
package struct ContainerSnapshot: Sendable {
    package var record: ContainerRecord
    package var state: ContainerMachine.State

    /// How it ended, if it did.
    package var exit: ContainerExit? {
        switch state {
        case .exited(let exit): return exit
        case .removing(let exit): return exit
        case .created, .starting, .running, .removed: return nil
        }
    }
}

/// All pods and containers that clients may see, and the names that are taken. Reads never wait for an operation, so that lists
/// and statuses can be answered on the connection's own thread.
package final class Inventory: Sendable {
    private struct ContainerName: Hashable {
        var pod: PodID
        var metadata: ContainerMetadata
    }

    private struct Contents {
        var pods: [PodID: PodSnapshot] = [:]
        var containers: [ContainerID: ContainerSnapshot] = [:]
        var podControllers: [PodID: PodController] = [:]
        var containerControllers: [ContainerID: ContainerController] = [:]
        var podNames: [PodMetadata: PodController] = [:]
        var containerNames: [ContainerName: ContainerController] = [:]

        func containers(of pod: PodID) -> [ContainerSnapshot] { containers.values.filter { $0.record.podID == pod } }

        func picture(of pod: PodID) -> InventoryPicture {
            InventoryPicture(pod: pods[pod], containers: containers(of: pod))
        }
    }

    private let contents = Mutex(Contents())
    /// Tells of every change of what is visible here.
    package let events: EventHub

    init(now: @escaping @Sendable () -> Int64) { events = EventHub(now: now) }

    // MARK: Reading

    /// All visible pods, newest first.
    package func pods() -> [PodSnapshot] {
        contents.withLock { Array($0.pods.values) }.sorted { $0.record.createdAt > $1.record.createdAt }
    }

    /// All visible containers, newest first.
    package func containers() -> [ContainerSnapshot] {
        contents.withLock { Array($0.containers.values) }.sorted { $0.record.createdAt > $1.record.createdAt }
    }

    package func containers(of pod: PodID) -> [ContainerSnapshot] { contents.withLock { $0.containers(of: pod) } }

    /// A pod and its containers, both at one moment.
    package func whole(_ text: String) throws(Fault) -> (pod: PodSnapshot, containers: [ContainerSnapshot])? {
        guard let id = try pod(named: text)?.record.id else { return nil }
        return contents.withLock { contents in contents.pods[id].map { ($0, contents.containers(of: id)) } }
    }

    package func pod(_ id: PodID) -> PodSnapshot? { contents.withLock { $0.pods[id] } }
    /// The pod, or as it began one that is still being made: its cgroup is seen before the pod itself.
    package func podEvenUnfinished(_ id: PodID) -> PodSnapshot? {
        contents.withLock { contents in
            contents.pods[id]
                ?? contents.podControllers[id].map { PodSnapshot(record: $0.firstRecord, isReady: false) }
        }
    }
    package func container(_ id: ContainerID) -> ContainerSnapshot? { contents.withLock { $0.containers[id] } }

    /// The pod that `text` names in full or by a unique prefix; nil where there is none. Throws for an ambiguous prefix.
    package func pod(named text: String) throws(Fault) -> PodSnapshot? {
        let found = contents.withLock { contents in Self.find(text, in: contents.pods) }
        return try Self.single(found, text: text, field: "pod_sandbox_id")
    }

    /// The container that `text` names in full or by a unique prefix; nil where there is none.
    package func container(named text: String) throws(Fault) -> ContainerSnapshot? {
        let found = contents.withLock { contents in Self.find(text, in: contents.containers) }
        return try Self.single(found, text: text, field: "container_id")
    }

    /// Who looks after the container that `text` names, as above.
    func controller(named text: String) throws(Fault) -> ContainerController? {
        let found = contents.withLock { contents in
            // One that is still being made is not visible.
            Self.find(text, in: contents.containerControllers) { contents.containers.index(forKey: $0) != nil }
        }
        return try Self.single(found, text: text, field: "container_id")
    }

    func controller(of pod: PodID) -> PodController? { contents.withLock { $0.podControllers[pod] } }
    func controller(of container: ContainerID) -> ContainerController? {
        contents.withLock { $0.containerControllers[container] }
    }

    func containerControllers(of pod: PodID) -> [ContainerController] {
        contents.withLock { $0.containerControllers.values.filter { $0.podID == pod } }
    }

    func allPodControllers() -> [PodController] { contents.withLock { Array($0.podControllers.values) } }

    // MARK: Names

    /// Takes a pod's name. Nil = it is the caller's now; else the pod that has it.
    func reserve(_ name: PodMetadata, for controller: PodController) -> PodController? {
        contents.withLock { contents in
            if let holder = contents.podNames[name] { return holder }
            contents.podNames[name] = controller
            contents.podControllers[controller.id] = controller
            return nil
        }
    }

    /// Takes a container's name in its pod. Nil = it is the caller's now.
    func reserve(_ name: ContainerMetadata, for controller: ContainerController) -> ContainerController? {
        contents.withLock { contents in
            let key = ContainerName(pod: controller.podID, metadata: name)
            if let holder = contents.containerNames[key] { return holder }
            contents.containerNames[key] = controller
            contents.containerControllers[controller.id] = controller
            return nil
        }
    }

    // MARK: Changing

    func publish(_ pod: PodSnapshot) {
        contents.withLock { contents in
            let id = pod.record.id
            let old = contents.pods.updateValue(pod, forKey: id)
            let picture = { contents.picture(of: id) }
            if old == nil { events.send(.created, of: id.text, picture) }
            if pod.isReady, old?.isReady != true { events.send(.started, of: id.text, picture) }
            if !pod.isReady, old?.isReady == true { events.send(.stopped, of: id.text, picture) }
        }
    }

    func publish(_ container: ContainerSnapshot) {
        contents.withLock { contents in
            let id = container.record.id
            let pod = container.record.podID
            let old = contents.containers.updateValue(container, forKey: id)
            let picture = { contents.picture(of: pod) }
            if old == nil { events.send(.created, of: id.text, picture) }
            let isRunning = container.state.isRunning
            let wasRunning = old?.state.isRunning == true
            let hasEnded = container.exit != nil && old?.exit == nil
            // One that ends before its start is answered has been started all the same.
            let hasRun = hasEnded && container.exit?.reason != ContainerExit.startError
            if !wasRunning, isRunning || hasRun { events.send(.started, of: id.text, picture) }
            if hasEnded { events.send(.stopped, of: id.text, picture) }
        }
    }

    /// Keeps the news of an end that happened while no daemon ran; called when everything has been recovered.
    func announceEnd(of container: ContainerID, in pod: PodID) {
        contents.withLock { contents in
            guard contents.containers[container] != nil else { return }
            events.keep(.stopped, of: container.text, contents.picture(of: pod))
        }
    }

    func announceEnd(of pod: PodID) {
        contents.withLock { contents in
            guard contents.pods[pod] != nil else { return }
            events.keep(.stopped, of: pod.text, contents.picture(of: pod))
        }
    }

    func withdraw(_ pod: PodID, name: PodMetadata) {
        contents.withLock { contents in
            let last = contents.pods.removeValue(forKey: pod)
            contents.podControllers[pod] = nil
            if contents.podNames[name]?.id == pod { contents.podNames[name] = nil }
            if let last {
                events.send(.deleted, of: pod.text) {
                    InventoryPicture(pod: last, containers: contents.containers(of: pod))
                }
            }
        }
    }

    func withdraw(_ container: ContainerID, of pod: PodID, name: ContainerMetadata) {
        contents.withLock { contents in
            let last = contents.containers.removeValue(forKey: container)
            contents.containerControllers[container] = nil
            let key = ContainerName(pod: pod, metadata: name)
            if contents.containerNames[key]?.id == container { contents.containerNames[key] = nil }
            if last != nil { events.send(.deleted, of: container.text) { contents.picture(of: pod) } }
        }
    }

    // MARK: Lookup

    private static func find<Kind, Value>(
        _ text: String, in objects: [Identifier<Kind>: Value],
        where isVisible: (Identifier<Kind>) -> Bool = { _ in true }
    ) -> [Value] {
        guard !text.isEmpty, text.utf8.count <= 64 else { return [] }
        if let id = Identifier<Kind>(text) { return isVisible(id) ? objects[id].map { [$0] } ?? [] : [] }
        return objects.filter { $0.key.text.hasPrefix(text) && isVisible($0.key) }.map(\.value)
    }

    private static func single<Value>(_ found: [Value], text: String, field: String) throws(Fault) -> Value? {
        guard found.count <= 1 else {
            throw Fault(
                .invalidArgument, "\(field): the prefix \"\(text)\" is ambiguous: \(found.count) objects have it")
        }
        return found.first
    }
}
