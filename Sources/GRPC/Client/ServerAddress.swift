/// Where a client finds its server.
package enum ServerAddress: Sendable, Hashable {
    case unix(path: String)
    /// Without TLS. `host` is a name or an address, an IPv6 one without brackets.
    case tcp(host: String, port: Int)

    /// The `:authority` of requests.
    var authority: String {
        switch self {
        case .unix: "localhost"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}

extension ServerAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unix(let path): path
        case .tcp: authority
        }
    }
}
