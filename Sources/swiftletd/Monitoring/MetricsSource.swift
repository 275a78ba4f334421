/// A part of the daemon that has numbers for the page that Prometheus reads.
protocol MetricsSource: Sendable {
    func write(to page: inout MetricsText)
}
