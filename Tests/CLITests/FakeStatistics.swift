import CRIProto
import GRPC
import SwiftProtobuf
import Synchronization

extension FakeWorld {
    /// Statistics whose second sample shows a quarter of a processor in use.
    func statisticsMethods() -> [GRPCMethod] {
        [
            method(CRIMethods.listContainerStats) { request, state in
                let filter = request.filter
                let chosen = state.containers.filter { id, container in
                    (filter.id.isEmpty || filter.id == id)
                        && (filter.podSandboxID.isEmpty || filter.podSandboxID == container.pod)
                }
                let time = Int64(state.calls.count) * 1_000_000_000
                return .with {
                    $0.stats = chosen.sorted { $0.key < $1.key }.map { id, container in
                        .with {
                            $0.attributes.id = id
                            $0.attributes.metadata = container.status.metadata
                            guard container.status.state == .containerRunning else { return }
                            $0.cpu = Self.cpu(at: time)
                            $0.memory.workingSetBytes.value = 4_261_550
                            $0.memory.psi.some.avg10 = 1.25
                            $0.writableLayer.usedBytes.value = 12_288
                            $0.writableLayer.inodesUsed.value = 7
                        }
                    }
                }
            },
            method(CRIMethods.listPodSandboxStats) { request, state in
                let id = request.filter.id
                let time = Int64(state.calls.count) * 1_000_000_000
                return .with {
                    $0.stats = state.pods.values.filter { id.isEmpty || $0.status.id == id }.map { pod in
                        .with {
                            $0.attributes.id = pod.status.id
                            $0.attributes.metadata = pod.status.metadata
                            $0.linux.cpu = Self.cpu(at: time)
                            $0.linux.memory.workingSetBytes.value = 9_000_000
                            $0.linux.process.processCount.value = 3
                        }
                    }
                }
            },
            method(CRIMethods.listMetricDescriptors) { _, _ in
                .with {
                    $0.descriptors = [
                        .with {
                            $0.name = "container_processes"; $0.help = "Processes."; $0.labelKeys = ["id", "name"]
                        }
                    ]
                }
            },
            method(CRIMethods.listPodSandboxMetrics) { _, state in
                if let metrics = state.metrics { return metrics(state.calls.count) }
                let metric = Runtime_V1_Metric.with {
                    $0.name = "container_processes"; $0.metricType = .gauge; $0.labelValues = ["/p", "web"]
                    $0.value.value = 3
                }
                return .with {
                    $0.podMetrics = state.pods.keys.sorted().map { id in
                        .with {
                            $0.podSandboxID = id
                            $0.metrics = [metric]
                            $0.containerMetrics = state.containers.filter { $0.value.pod == id }.keys.sorted().map {
                                container in
                                .with {
                                    $0.containerID = container; $0.metrics = [metric]
                                }
                            }
                        }
                    }
                }
            },
        ]
    }

    /// Tells the events and ends; a failure that a test wants comes once and in the place of them.
    var events: GRPCMethod {
        .serverStream(CRIMethods.getContainerEvents.path) {
            (_: Runtime_V1_GetEventsRequest, _, writer: ResponseWriter<Runtime_V1_ContainerEventResponse>) in
            let events = try self.state.withLock { state throws(GRPCStatus) in
                state.calls.append("GetContainerEvents")
                if let failure = state.failures.removeValue(forKey: "GetContainerEvents") { throw failure }
                guard state.eventStreamsMax > 0 else { throw GRPCStatus(code: .resourceExhausted, message: "enough") }
                state.eventStreamsMax -= 1
                return state.events
            }
            for event in events { try await writer.write(event) }
        }
    }

    private static func cpu(at time: Int64) -> Runtime_V1_CpuUsage {
        .with {
            $0.timestamp = time; $0.usageCoreNanoSeconds.value = UInt64(time / 4)
        }
    }
}
