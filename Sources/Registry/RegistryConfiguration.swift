/// How the registry client behaves on this machine.
package struct RegistryConfiguration: Sendable {
    /// Directories in containerd's `config_path` layout, searched in order.
    package var hostsDirectories: [String] = []
    /// A transfer in which nothing arrives for this long has failed.
    package var noProgressTimeout: Duration = .seconds(60)
    /// For hosts without a `dial_timeout` of their own.
    package var connectTimeout: Duration = .seconds(30)
    /// How often a request is repeated after a passing failure.
    package var retriesMax = 5
    /// How long to wait before the n-th repetition, counted from 0.
    package var backoff: @Sendable (Int) -> Duration = { attempt in
        .milliseconds((250 << min(attempt, 5)) + Int.random(in: 0..<100))
    }
    /// The longest wait that a server can ask for by `Retry-After`.
    package var retryAfterMax: Duration = .seconds(30)
    package var redirectsMax = 10
    package var userAgent = "swiftlet"

    package init() {}
}
