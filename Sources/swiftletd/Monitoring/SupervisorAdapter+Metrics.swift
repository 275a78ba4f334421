extension SupervisorAdapter: MetricsSource {
    func write(to page: inout MetricsText) {
        page.single(
            "swiftlet_supervisors", .gauge, "Supervisors that this daemon is connected to and that live.", "\(alive)")
        page.single(
            "swiftlet_supervisors_started_total", .counter, "Supervisors that this daemon has started.", "\(started)")
        page.single(
            "swiftlet_supervisors_lost_total", .counter, "Connections to supervisors that ended by themselves.",
            "\(lost)")
    }
}
