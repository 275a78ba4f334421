/// The description of a container that people and tools know: the runtime-spec's `config.json` (runtime-spec,
/// config.md), Linux part.
///
/// Names in JSON are the specification's. What this program cannot carry out is still read, so that it can be refused
/// by name instead of being passed over. Members that the specification does not know are ignored, as it demands.
package struct RuntimeSpec: Codable, Sendable, Equatable {
    /// The version of the specification that `SpecBuilder` writes.
    package static let currentVersion = "1.2.1"

    package var ociVersion: String
    package var process: RuntimeProcess?
    package var root: Root?
    @OmitEmpty package var hostname: String = ""
    @OmitEmpty package var domainname: String = ""
    /// Mounted in this order.
    @OmitEmpty package var mounts: [RuntimeMount] = []
    package var hooks: RuntimeHooks?
    @OmitEmpty package var annotations: [String: String] = [:]
    package var linux: RuntimeLinux?

    package init(ociVersion: String = RuntimeSpec.currentVersion) { self.ociVersion = ociVersion }

    /// The container's root file system.
    package struct Root: Codable, Sendable, Equatable {
        package var path: String
        @OmitEmpty package var readonly: Bool = false

        package init(path: String, readonly: Bool = false) {
            self.path = path
            self.readonly = readonly
        }
    }
}

/// One mount inside the container (runtime-spec, config.md, "Mounts").
package struct RuntimeMount: Codable, Sendable, Equatable {
    /// An option of our own: the source is made as a directory where nothing is there, as CRI mounts ask for.
    package static let makeSourceOption = "x-swiftlet.make-source"

    package var destination: String
    @OmitEmpty package var type: String = ""
    @OmitEmpty package var source: String = ""
    @OmitEmpty package var options: [String] = []
    @OmitEmpty package var uidMappings: [RuntimeIDMapping] = []
    @OmitEmpty package var gidMappings: [RuntimeIDMapping] = []

    package init(destination: String, type: String, source: String, options: [String] = []) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
    }
}

/// A range of ids in a user namespace (user_namespaces(7)).
package struct RuntimeIDMapping: Codable, Sendable, Equatable {
    package var containerID: UInt32
    package var hostID: UInt32
    package var size: UInt32

    package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }
}

/// Programs that are run around a container's life (runtime-spec, config.md, "POSIX-platform Hooks").
package struct RuntimeHooks: Codable, Sendable, Equatable {
    /// One program and its arguments.
    package struct Hook: Codable, Sendable, Equatable {
        package var path: String
        @OmitEmpty package var args: [String] = []
        @OmitEmpty package var env: [String] = []
        /// Seconds.
        package var timeout: Int?

        package init(path: String) { self.path = path }
    }

    @OmitEmpty package var prestart: [Hook] = []
    @OmitEmpty package var createRuntime: [Hook] = []
    @OmitEmpty package var createContainer: [Hook] = []
    @OmitEmpty package var startContainer: [Hook] = []
    @OmitEmpty package var poststart: [Hook] = []
    @OmitEmpty package var poststop: [Hook] = []

    package init() {}

    package var isEmpty: Bool { self == RuntimeHooks() }
}
