import Lifecycle

extension LeakTally: MetricsSource {
    func write(to page: inout MetricsText) {
        let counts = counts
        for (name, help, value) in [
            (
                "swiftlet_leaks_found_total", "Things found on the node that nobody would have removed, and when.",
                \Count.found
            ),
            ("swiftlet_leaks_mended_total", "Those of them that are gone.", \Count.mended),
        ] {
            page.family(name, .counter, help)
            for count in counts {
                let labels = [("kind", count.kind.rawValue), ("found_at", count.moment.rawValue)]
                page.sample(name, labels, "\(count[keyPath: value])")
            }
        }
    }
}
