/// The last attempt of a container that an earlier run of the program has made.
package struct FoundContainer: Sendable {
    package enum State: Sendable {
        case running
        /// How it ended, and how long ago.
        case ended(Termination, age: Duration)
    }

    package var name: String
    package var attempt: Int
    package var restarts: Int
    package var state: State
    /// How long ago it was started.
    package var runAge: Duration
    /// How the attempt before it ended, if that is known.
    package var previousEnd: Termination?

    package init(
        name: String, attempt: Int, restarts: Int, state: State, runAge: Duration, previousEnd: Termination? = nil
    ) {
        self.name = name
        self.attempt = attempt
        self.restarts = restarts
        self.state = state
        self.runAge = runAge
        self.previousEnd = previousEnd
    }
}

extension PodMachine {
    /// A pod that is there and ready since `podAge`, with those of its containers that were made.
    package init(
        adopting manifest: PodManifest, _ found: [FoundContainer], podAge: Duration = .zero, at now: Duration,
        backOffScale scale: Double = 1
    ) {
        self.init(manifest, backOffScale: scale)
        let byName = Dictionary(found.map { ($0.name, $0) }) { $1 }
        take(over: byName, since: now - podAge, at: now)
    }
}
