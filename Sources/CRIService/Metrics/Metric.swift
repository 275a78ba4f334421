import CRIProto
import SwiftProtobuf

/// One metric: what it is called and means, and how its values come out of a reading. Descriptors and values are both made
/// of it, so that they cannot disagree.
struct Metric<Reading>: Sendable {
    let name: String
    let help: String
    let type: Runtime_V1_MetricType
    /// Keys of its own labels, which follow `MetricLabels.keys`.
    let labels: [String]
    /// None where the kernel or the host does not offer the value: never a zero that nobody counted.
    let values: @Sendable (Reading) -> [MetricValue]

    /// A number that only grows.
    static func counter(_ name: String, _ help: String, _ value: @escaping @Sendable (Reading) -> UInt64?) -> Metric {
        Metric(name: name, help: help, type: .counter, labels: []) { MetricValue.single(value($0)) }
    }

    /// A number that goes up and down.
    static func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (Reading) -> UInt64?) -> Metric {
        Metric(name: name, help: help, type: .gauge, labels: []) { MetricValue.single(value($0)) }
    }

    static func counter(
        _ name: String, _ help: String, by labels: [String], _ values: @escaping @Sendable (Reading) -> [MetricValue]
    ) -> Metric {
        Metric(name: name, help: help, type: .counter, labels: labels, values: values)
    }

    static func gauge(
        _ name: String, _ help: String, by labels: [String], _ values: @escaping @Sendable (Reading) -> [MetricValue]
    ) -> Metric {
        Metric(name: name, help: help, type: .gauge, labels: labels, values: values)
    }

    var descriptor: Runtime_V1_MetricDescriptor {
        .with {
            $0.name = name
            $0.help = help
            $0.labelKeys = MetricLabels.keys + labels
        }
    }

    /// Its values in a reading, as messages.
    func messages(_ reading: Reading, _ base: MetricLabels, timestamp: Int64) -> [Runtime_V1_Metric] {
        values(reading).map { value in
            var message = Runtime_V1_Metric()
            message.name = name
            message.timestamp = timestamp
            message.metricType = type
            message.labelValues = value.labels.isEmpty ? base.values : base.values + value.labels
            message.value.value = value.number
            return message
        }
    }
}

/// A value with those of the metric's own labels.
struct MetricValue: Sendable {
    var labels: [String] = []
    var number: UInt64

    static func single(_ number: UInt64?) -> [MetricValue] { number.map { [MetricValue(number: $0)] } ?? [] }
}

/// The labels that every metric has, by which monitoring joins it to a pod; of a sandbox itself `container` is empty.
struct MetricLabels: Sendable {
    static let keys = ["pod", "namespace", "container", "id", "image"]
    let values: [String]

    init(pod: String, namespace: String, container: String, id: String, image: String) {
        values = [pod, namespace, container, id, image]
    }
}

/// All metrics of this version.
enum Metrics {
    static let ofContainers: [Metric<ContainerReading>] = processor + memory + storage + processes + specification
    static let ofPods: [Metric<PodReading>] = network

    static let descriptors = ofContainers.map(\.descriptor) + ofPods.map(\.descriptor)
}
