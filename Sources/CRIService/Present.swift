import CRIProto
import Foundation
import Lifecycle
import Model
import SwiftProtobuf

/// Values of `Model` and `Lifecycle` as messages of the CRI.
enum Present {
    static func metadata(_ metadata: PodMetadata) -> Runtime_V1_PodSandboxMetadata {
        var message = Runtime_V1_PodSandboxMetadata()
        message.name = metadata.name
        message.uid = metadata.uid
        message.namespace = metadata.namespace
        message.attempt = metadata.attempt
        return message
    }

    static func metadata(_ metadata: ContainerMetadata) -> Runtime_V1_ContainerMetadata {
        var message = Runtime_V1_ContainerMetadata()
        message.name = metadata.name
        message.attempt = metadata.attempt
        return message
    }

    static func mode(_ mode: NamespaceMode) -> Runtime_V1_NamespaceMode {
        switch mode {
        case .pod: return .pod
        case .container: return .container
        case .node: return .node
        case .target: return .target
        }
    }

    static func item(_ pod: PodSnapshot) -> Runtime_V1_PodSandbox {
        var message = Runtime_V1_PodSandbox()
        message.id = pod.record.id.text
        message.metadata = metadata(pod.record.config.metadata)
        message.state = pod.isReady ? .sandboxReady : .sandboxNotready
        message.createdAt = pod.record.createdAt
        message.labels = pod.record.config.labels
        message.annotations = pod.record.config.annotations
        message.runtimeHandler = pod.record.config.runtimeHandler
        return message
    }

    static func status(_ pod: PodSnapshot) -> Runtime_V1_PodSandboxStatus {
        let config = pod.record.config
        var message = Runtime_V1_PodSandboxStatus()
        message.id = pod.record.id.text
        message.metadata = metadata(config.metadata)
        message.state = pod.isReady ? .sandboxReady : .sandboxNotready
        message.createdAt = pod.record.createdAt
        message.network = .with { network in
            network.ip = pod.record.addresses.first ?? ""
            network.additionalIps = pod.record.addresses.dropFirst().map { address in .with { $0.ip = address } }
        }
        message.linux.namespaces.options = .with { options in
            options.network = mode(config.namespaces.network)
            options.pid = mode(config.namespaces.pid)
            options.ipc = mode(config.namespaces.ipc)
            options.targetID = config.namespaces.targetID
        }
        message.labels = config.labels
        message.annotations = config.annotations
        message.runtimeHandler = config.runtimeHandler
        return message
    }

    static func state(_ state: ContainerMachine.State) -> Runtime_V1_ContainerState {
        switch state {
        case .created, .starting: return .containerCreated
        case .running: return .containerRunning
        case .exited, .removed: return .containerExited
        case .removing(let exit): return exit == nil ? .containerCreated : .containerExited
        }
    }

    static func image(_ record: ContainerRecord) -> Runtime_V1_ImageSpec {
        .with {
            $0.image = record.config.image
            $0.userSpecifiedImage = record.config.userSpecifiedImage
        }
    }

    static func item(_ container: ContainerSnapshot) -> Runtime_V1_Container {
        let record = container.record
        var message = Runtime_V1_Container()
        message.id = record.id.text
        message.podSandboxID = record.podID.text
        message.metadata = metadata(record.config.metadata)
        message.image = image(record)
        message.imageRef = record.image.id
        message.imageID = record.image.id
        message.state = state(container.state)
        message.createdAt = record.createdAt
        message.labels = record.config.labels
        message.annotations = record.config.annotations
        return message
    }

    static func status(_ container: ContainerSnapshot) -> Runtime_V1_ContainerStatus {
        let record = container.record
        var message = Runtime_V1_ContainerStatus()
        message.id = record.id.text
        message.metadata = metadata(record.config.metadata)
        message.state = state(container.state)
        message.createdAt = record.createdAt
        message.image = image(record)
        message.imageRef = record.imageReference
        message.imageID = record.image.id
        message.labels = record.config.labels
        message.annotations = record.config.annotations
        message.mounts = record.config.mounts.map(mount)
        message.resources.linux = resources(record.config.resources)
        message.user.linux = .with { user in
            user.uid = Int64(record.user.uid)
            user.gid = Int64(record.user.gid)
            user.supplementalGroups = record.user.supplementalGroups.map(Int64.init)
        }
        message.stopSignal = Translate.signal(number: record.stopSignal)
        if case .running(let running) = container.state { message.startedAt = running.startedAt }
        if let exit = container.exit {
            message.startedAt = exit.startedAt
            message.finishedAt = exit.finishedAt
            message.exitCode = exit.code
            message.reason = exit.reason
            message.message = exit.message
        }
        return message
    }

    static func mount(_ mount: ContainerMount) -> Runtime_V1_Mount {
        .with { message in
            message.containerPath = mount.containerPath
            message.hostPath = mount.hostPath
            message.readonly = mount.readonly
            message.selinuxRelabel = mount.selinuxRelabel
            switch mount.propagation {
            case .private: message.propagation = .propagationPrivate
            case .hostToContainer: message.propagation = .propagationHostToContainer
            case .bidirectional: message.propagation = .propagationBidirectional
            }
        }
    }

    static func resources(_ resources: LinuxResources) -> Runtime_V1_LinuxContainerResources {
        .with { message in
            message.cpuPeriod = resources.cpuPeriod
            message.cpuQuota = resources.cpuQuota
            message.cpuShares = resources.cpuShares
            message.memoryLimitInBytes = resources.memoryLimitBytes
            message.memorySwapLimitInBytes = resources.memorySwapLimitBytes
            message.oomScoreAdj = resources.oomScoreAdj
            message.cpusetCpus = resources.cpusetCPUs
            message.cpusetMems = resources.cpusetMems
            message.hugepageLimits = resources.hugepageLimits.map { limit in
                .with {
                    $0.pageSize = limit.pageSize
                    $0.limit = limit.limitBytes
                }
            }
            message.unified = resources.unified
        }
    }

    /// A value as one line of JSON, for the `info` maps of verbose answers.
    static func json(_ value: some Encodable) throws(Fault) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw Fault.internal("render information", cause: "\(error)")
        }
    }
}
