extension Metrics {
    /// /proc/PID/net/dev of a process in the pod's network namespace.
    static let network: [Metric<PodReading>] = [
        .counter("container_network_receive_bytes_total", "Bytes received", by: ["interface"]) {
            $0.perInterface { $0.received.bytes }
        },
        .counter("container_network_receive_packets_total", "Packets received", by: ["interface"]) {
            $0.perInterface { $0.received.packets }
        },
        .counter(
            "container_network_receive_packets_dropped_total", "Packets dropped on their way in", by: ["interface"]
        ) {
            $0.perInterface { $0.received.dropped }
        },
        .counter("container_network_receive_errors_total", "Packets received that were bad", by: ["interface"]) {
            $0.perInterface { $0.received.errors }
        },
        .counter("container_network_transmit_bytes_total", "Bytes sent", by: ["interface"]) {
            $0.perInterface { $0.sent.bytes }
        },
        .counter("container_network_transmit_packets_total", "Packets sent", by: ["interface"]) {
            $0.perInterface { $0.sent.packets }
        },
        .counter(
            "container_network_transmit_packets_dropped_total", "Packets dropped on their way out", by: ["interface"]
        ) {
            $0.perInterface { $0.sent.dropped }
        },
        .counter("container_network_transmit_errors_total", "Packets that could not be sent", by: ["interface"]) {
            $0.perInterface { $0.sent.errors }
        },
    ]
}
