/// The process of a container (runtime-spec, config.md, "Process").
package struct RuntimeProcess: Codable, Sendable, Equatable {
    @OmitEmpty package var terminal: Bool = false
    package var consoleSize: ConsoleSize?
    package var user: User
    @OmitEmpty package var args: [String] = []
    /// "NAME=value" each; bytes, because an environment is not bound to be UTF-8.
    @OmitEmpty package var env: [RuntimeText] = []
    package var cwd: String
    package var capabilities: Capabilities?
    @OmitEmpty package var rlimits: [ResourceLimit] = []
    @OmitEmpty package var noNewPrivileges: Bool = false
    @OmitEmpty package var apparmorProfile: String = ""
    package var oomScoreAdj: Int?
    package var scheduler: Scheduler?
    @OmitEmpty package var selinuxLabel: String = ""
    package var ioPriority: IOPriority?
    package var execCPUAffinity: CPUAffinity?

    package init(user: User = User(), args: [String] = [], cwd: String = "/") {
        self.user = user
        self.args = args
        self.cwd = cwd
    }

    /// Size of the terminal in characters.
    package struct ConsoleSize: Codable, Sendable, Equatable {
        package var height: UInt16
        package var width: UInt16

        package init(height: UInt16, width: UInt16) {
            self.height = height
            self.width = width
        }
    }

    /// Who the process runs as (credentials(7)).
    package struct User: Codable, Sendable, Equatable {
        package var uid: UInt32
        package var gid: UInt32
        package var umask: UInt32?
        @OmitEmpty package var additionalGids: [UInt32] = []

        package init(uid: UInt32 = 0, gid: UInt32 = 0, additionalGids: [UInt32] = []) {
            self.uid = uid
            self.gid = gid
            self.additionalGids = additionalGids
        }
    }

    /// Names such as "CAP_CHOWN" (capabilities(7)).
    package struct Capabilities: Codable, Sendable, Equatable {
        @OmitEmpty package var bounding: [String] = []
        @OmitEmpty package var effective: [String] = []
        @OmitEmpty package var inheritable: [String] = []
        @OmitEmpty package var permitted: [String] = []
        @OmitEmpty package var ambient: [String] = []

        package init() {}
    }

    /// One limit of prlimit(2), by the name of its constant ("RLIMIT_NOFILE").
    package struct ResourceLimit: Codable, Sendable, Equatable {
        package var type: String
        package var hard: UInt64
        package var soft: UInt64

        package init(_ type: String, soft: UInt64, hard: UInt64) {
            self.type = type
            self.soft = soft
            self.hard = hard
        }
    }

    /// sched_setattr(2).
    package struct Scheduler: Codable, Sendable, Equatable {
        package var policy: String
        package var nice: Int32?
        package var priority: Int32?
        @OmitEmpty package var flags: [String] = []
        package var runtime: UInt64?
        package var deadline: UInt64?
        package var period: UInt64?
    }

    /// ioprio_set(2).
    package struct IOPriority: Codable, Sendable, Equatable {
        package var `class`: String
        package var priority: Int
    }

    /// Processors of a further process, before and after it is in the container's cgroup.
    package struct CPUAffinity: Codable, Sendable, Equatable {
        @OmitEmpty package var initial: String = ""
        @OmitEmpty package var final: String = ""
    }
}

/// Text that the kernel sees as bytes. In JSON it is a string, or a list of bytes where it is not UTF-8, so that
/// nothing is lost.
package struct RuntimeText: Codable, Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }
    package init(stringLiteral text: String) { self.init(text) }

    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        do {
            bytes = try value.decode([UInt8].self)
        } catch {
            bytes = Array(try value.decode(String.self).utf8)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        if let text = String(validating: bytes, as: UTF8.self) {
            try value.encode(text)
        } else {
            try value.encode(bytes)
        }
    }

    package var description: String { String(decoding: bytes, as: UTF8.self) }
}
