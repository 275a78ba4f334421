import CLICore
import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization

/// What the fake runtime has and does.
final class FakeWorld: Sendable {
    struct State {
        var images: [Runtime_V1_Image] = []
        var pods: [String: (status: Runtime_V1_PodSandbox, config: Runtime_V1_PodSandboxConfig)] = [:]
        var containers:
            [String: (status: Runtime_V1_ContainerStatus, pod: String, config: Runtime_V1_ContainerConfig)] = [:]
        var calls: [String] = []
        var requests: [String: any SwiftProtobuf.Message & Sendable] = [:]
        var failures: [String: GRPCStatus] = [:]
        var events: [Runtime_V1_ContainerEventResponse] = []
        /// How often a client may follow the events before it is refused.
        var eventStreamsMax = Int.max
        /// Failures of methods that have succeeded so often.
        var failsAfter: [String: (count: Int, status: GRPCStatus)] = [:]
        var serial = 0
        var info: [String: String] = [:]
        var logLevel = "info"
        var reload = Swiftlet_V1_ReloadResponse()
        var operations: [Swiftlet_V1_Operation] = []
        var streams = StreamURLs()
        /// The metrics in the place of the usual ones, by the number of calls that were made.
        var metrics: (@Sendable (Int) -> Runtime_V1_ListPodSandboxMetricsResponse)?
        /// Whether calls wait until the client gives up.
        var isStuck = false
        var onCall: @Sendable (String) -> Void = { _ in }
    }

    /// What Exec, Attach and PortForward answer.
    struct StreamURLs: Sendable {
        var exec: @Sendable (Runtime_V1_ExecRequest) -> String = { _ in "" }
        var attach: @Sendable (Runtime_V1_AttachRequest) -> String = { _ in "" }
        var portForward: @Sendable (Runtime_V1_PortForwardRequest) -> String = { _ in "" }
    }

    let state = Mutex(State())
    /// What a pull waits for.
    let pullGate = Mutex<@Sendable () async -> Void>({})

    static func pod(_ id: String, _ config: Runtime_V1_PodSandboxConfig) -> Runtime_V1_PodSandbox {
        .with {
            $0.id = id
            $0.metadata = config.metadata
            $0.createdAt = CapturedConsole.now
            $0.labels = config.labels
            $0.annotations = config.annotations
        }
    }

    static func status(_ id: String, _ config: Runtime_V1_ContainerConfig, logPath: String)
        -> Runtime_V1_ContainerStatus
    {
        .with {
            $0.id = id
            $0.metadata = config.metadata
            $0.image = config.image
            $0.imageID = config.image.image
            $0.createdAt = CapturedConsole.now
            $0.labels = config.labels
            $0.annotations = config.annotations
            $0.logPath = logPath
        }
    }
}

extension FakeWorld.State {
    /// Ids whose first characters tell them apart: 0001..., 0002...
    mutating func newID() -> String {
        serial += 1
        let digits = String(serial)
        return String(repeating: "0", count: 4 - digits.count) + digits + String(repeating: "f", count: 60)
    }
}
