/// What the runtime-spec says about Linux alone (runtime-spec, config-linux.md).
package struct RuntimeLinux: Codable, Sendable, Equatable {
    @OmitEmpty package var uidMappings: [RuntimeIDMapping] = []
    @OmitEmpty package var gidMappings: [RuntimeIDMapping] = []
    @OmitEmpty package var sysctl: [String: String] = [:]
    package var resources: RuntimeResources?
    @OmitEmpty package var cgroupsPath: String = ""
    @OmitEmpty package var namespaces: [Namespace] = []
    @OmitEmpty package var devices: [Device] = []
    package var seccomp: RuntimeSeccomp?
    /// "", "private", "slave", "shared", or with an "r" in front.
    @OmitEmpty package var rootfsPropagation: String = ""
    @OmitEmpty package var maskedPaths: [String] = []
    @OmitEmpty package var readonlyPaths: [String] = []
    @OmitEmpty package var mountLabel: String = ""
    package var intelRdt: Presence?
    package var memoryPolicy: Presence?
    package var personality: Personality?
    @OmitEmpty package var timeOffsets: [String: TimeOffset] = [:]
    @OmitEmpty package var netDevices: [String: NetDevice] = [:]

    package init() {}

    /// A namespace that the container has: new where `path` is empty, else an existing one.
    package struct Namespace: Codable, Sendable, Equatable {
        /// The specification's names (namespaces(7)).
        package enum Kind: String, Codable, Sendable {
            case pid, network, mount, ipc, uts, user, cgroup, time
        }

        package var type: Kind
        @OmitEmpty package var path: String = ""

        package init(_ type: Kind, path: String = "") {
            self.type = type
            self.path = path
        }
    }

    /// A device node of the container.
    package struct Device: Codable, Sendable, Equatable {
        package var path: String
        /// "c", "u" (a character device too), "b" or "p".
        package var type: String
        @OmitEmpty package var major: Int64 = 0
        @OmitEmpty package var minor: Int64 = 0
        package var fileMode: UInt32?
        package var uid: UInt32?
        package var gid: UInt32?

        package init(path: String, type: String, major: Int64, minor: Int64, fileMode: UInt32, uid: UInt32, gid: UInt32)
        {
            self.path = path
            self.type = type
            self.fileMode = fileMode
            self.uid = uid
            self.gid = gid
            self.major = major
            self.minor = minor
        }
    }

    /// A part of the specification that is known to be there and is not looked into.
    package struct Presence: Codable, Sendable, Equatable {
        package init() {}
        package init(from decoder: any Decoder) throws {}
        package func encode(to encoder: any Encoder) throws { _ = encoder.container(keyedBy: NoKey.self) }
        private enum NoKey: CodingKey {}
    }

    /// personality(2).
    package struct Personality: Codable, Sendable, Equatable {
        package var domain: String
        @OmitEmpty package var flags: [String] = []
    }

    /// time_namespaces(7).
    package struct TimeOffset: Codable, Sendable, Equatable {
        package var secs: Int64?
        package var nanosecs: UInt32?
    }

    /// A network interface that is moved into the container, and its name there.
    package struct NetDevice: Codable, Sendable, Equatable {
        @OmitEmpty package var name: String = ""
    }
}
