import Glibc

/// The cgroup v2 weight of version 1 CPU shares.
///
/// 2, 1024 and 262144 shares become 1, 100 and 10000 on a curve that is quadratic in the logarithm, as crun and runc
/// have it since 2025; the linear formula before gave a default container (1024) a weight of only 39.
package enum CPUWeight {
    /// Shares out of range are brought into it, as version 1 kernels do.
    package static func weight(ofShares shares: Int64) -> Int {
        let shares = min(max(shares, 2), 262_144)
        let log = log2(Double(shares))
        let exponent = (log * log + 125 * log) / 612 - 7.0 / 34.0
        // The small number keeps a result that is whole but for rounding errors from being rounded up.
        return min(max(Int((pow(10, exponent) - 1e-6).rounded(.up)), 1), 10_000)
    }
}
