import Foundation

// The names of keys in the file, and a default for each that is missing.

extension KeyedDecodingContainer {
    /// The value of a key, or what the property has already.
    fileprivate func read<Value: Decodable>(_ key: Key, into value: inout Value) throws {
        if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
    }
}

extension Config {
    enum CodingKeys: String, CodingKey {
        case root
        case state
        case socket
        case socketGroup = "socket_group"
        case launcher
        case logLevel = "log_level"
        case logFormat = "log_format"
        case cgroup
        case cni
        case registry
        case image
        case container
        case exec
        case streaming
        case inspect
        case metrics
        case tracing
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.root, into: &root)
        try values.read(.state, into: &state)
        try values.read(.socket, into: &socket)
        try values.read(.socketGroup, into: &socketGroup)
        try values.read(.launcher, into: &launcher)
        try values.read(.logLevel, into: &logLevel)
        try values.read(.logFormat, into: &logFormat)
        try values.read(.cgroup, into: &cgroup)
        try values.read(.cni, into: &cni)
        try values.read(.registry, into: &registry)
        try values.read(.image, into: &image)
        try values.read(.container, into: &container)
        try values.read(.exec, into: &exec)
        try values.read(.streaming, into: &streaming)
        try values.read(.inspect, into: &inspect)
        try values.read(.metrics, into: &metrics)
        try values.read(.tracing, into: &tracing)
    }
}

extension Config.Cgroup {
    enum CodingKeys: String, CodingKey {
        case driver
        case mount
        case own
        case prefix, suffix
        case tolerateMissingControllers = "tolerate_missing_controllers"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.driver, into: &driver)
        try values.read(.mount, into: &mount)
        try values.read(.own, into: &own)
        try values.read(.prefix, into: &prefix)
        try values.read(.suffix, into: &suffix)
        try values.read(.tolerateMissingControllers, into: &tolerateMissingControllers)
    }
}

extension Config.CNI {
    enum CodingKeys: String, CodingKey {
        case confDir = "conf_dir"
        case binDirs = "bin_dirs"
        case ipPreference = "ip_preference"
        case timeoutSeconds = "timeout_seconds"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.confDir, into: &confDir)
        try values.read(.binDirs, into: &binDirs)
        try values.read(.ipPreference, into: &ipPreference)
        try values.read(.timeoutSeconds, into: &timeoutSeconds)
    }
}

extension Config.Registry {
    enum CodingKeys: String, CodingKey {
        case hostsDir = "hosts_dir"
        case progressTimeoutSeconds = "progress_timeout_seconds"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.hostsDir, into: &hostsDir)
        try values.read(.progressTimeoutSeconds, into: &progressTimeoutSeconds)
    }
}

extension Config.Image {
    enum CodingKeys: String, CodingKey {
        case volumes
        case pinned
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.volumes, into: &volumes)
        try values.read(.pinned, into: &pinned)
    }
}

extension Config.Container {
    enum CodingKeys: String, CodingKey {
        case capabilities
        case rlimits
        case pidsLimit = "pids_limit"
        case shmBytes = "shm_bytes"
        case unprivilegedPorts = "unprivileged_ports"
        case unprivilegedPing = "unprivileged_ping"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.capabilities, into: &capabilities)
        try values.read(.rlimits, into: &rlimits)
        try values.read(.pidsLimit, into: &pidsLimit)
        try values.read(.shmBytes, into: &shmBytes)
        try values.read(.unprivilegedPorts, into: &unprivilegedPorts)
        try values.read(.unprivilegedPing, into: &unprivilegedPing)
    }
}

extension Config.Exec {
    enum CodingKeys: String, CodingKey {
        case syncOutputBytesMax = "sync_output_bytes_max"
        case syncDrainMilliseconds = "sync_drain_milliseconds"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.syncOutputBytesMax, into: &syncOutputBytesMax)
        try values.read(.syncDrainMilliseconds, into: &syncDrainMilliseconds)
    }
}

extension Config.Streaming {
    enum CodingKeys: String, CodingKey {
        case address
        case port
        case tlsCert = "tls_cert"
        case tlsKey = "tls_key"
        case idleTimeoutSeconds = "idle_timeout_seconds"
        case creationTimeoutSeconds = "creation_timeout_seconds"
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.address, into: &address)
        try values.read(.port, into: &port)
        try values.read(.tlsCert, into: &tlsCert)
        try values.read(.tlsKey, into: &tlsKey)
        try values.read(.idleTimeoutSeconds, into: &idleTimeoutSeconds)
        try values.read(.creationTimeoutSeconds, into: &creationTimeoutSeconds)
    }
}

extension Config.Inspect {
    enum CodingKeys: String, CodingKey {
        case socket
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.socket, into: &socket)
    }
}

extension Config.Metrics {
    enum CodingKeys: String, CodingKey {
        case address
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.address, into: &address)
    }
}

extension Config.Tracing {
    enum CodingKeys: String, CodingKey {
        case endpoint
    }

    init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.endpoint, into: &endpoint)
    }
}
