import CSeccomp

/// What happens to a system call (seccomp_rule_add(3), the words of the runtime-spec).
package enum SeccompAction: Sendable, Hashable {
    case killThread, killProcess, trap, allow, log
    case errno(UInt16)
    case trace(UInt16)

    /// Reads "SCMP_ACT_ERRNO" and its kin. `number` is the profile's errnoRet; without one EPERM is meant.
    ///
    /// SCMP_ACT_NOTIFY is refused: nobody here would answer the notification.
    package init(name: String, number: UInt32?) throws(SeccompError) {
        // The kernel takes 16 bits, and errno values end at 4095 (SECCOMP_RET_DATA, seccomp(2)).
        guard let data = UInt16(exactly: number ?? 1), name != "SCMP_ACT_ERRNO" || data <= 4095 else {
            throw .unknown(what: "errnoRet", value: "\(number ?? 1)")
        }
        switch name {
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": self = .killThread
        case "SCMP_ACT_KILL_PROCESS": self = .killProcess
        case "SCMP_ACT_TRAP": self = .trap
        case "SCMP_ACT_ALLOW": self = .allow
        case "SCMP_ACT_LOG": self = .log
        case "SCMP_ACT_ERRNO": self = .errno(data)
        case "SCMP_ACT_TRACE": self = .trace(data)
        default: throw .unknown(what: "action", value: name)
        }
    }

    /// SECCOMP_RET_* of seccomp(2), which libseccomp's SCMP_ACT_* equal.
    var kernelValue: UInt32 {
        switch self {
        case .killThread: 0x0000_0000
        case .killProcess: 0x8000_0000
        case .trap: 0x0003_0000
        case .allow: 0x7fff_0000
        case .log: 0x7ffc_0000
        case .errno(let number): 0x0005_0000 | UInt32(number)
        case .trace(let number): 0x7ff0_0000 | UInt32(number)
        }
    }
}

/// How one argument of a call is compared.
package enum SeccompOperator: String, Sendable, Hashable {
    case notEqual = "SCMP_CMP_NE"
    case less = "SCMP_CMP_LT"
    case lessOrEqual = "SCMP_CMP_LE"
    case equal = "SCMP_CMP_EQ"
    case greaterOrEqual = "SCMP_CMP_GE"
    case greater = "SCMP_CMP_GT"
    case maskedEqual = "SCMP_CMP_MASKED_EQ"

    package init(name: String) throws(SeccompError) {
        guard let known = SeccompOperator(rawValue: name) else { throw .unknown(what: "comparison", value: name) }
        self = known
    }

    var libraryValue: scmp_compare {
        switch self {
        case .notEqual: SCMP_CMP_NE
        case .less: SCMP_CMP_LT
        case .lessOrEqual: SCMP_CMP_LE
        case .equal: SCMP_CMP_EQ
        case .greaterOrEqual: SCMP_CMP_GE
        case .greater: SCMP_CMP_GT
        case .maskedEqual: SCMP_CMP_MASKED_EQ
        }
    }
}

/// A system call interface that a filter knows about.
package enum SeccompArchitecture: String, Sendable, Hashable, CaseIterable {
    case x86_64 = "SCMP_ARCH_X86_64"
    case x86 = "SCMP_ARCH_X86"
    case x32 = "SCMP_ARCH_X32"
    case aarch64 = "SCMP_ARCH_AARCH64"
    case arm = "SCMP_ARCH_ARM"

    /// The one that this program runs on.
    package static var native: SeccompArchitecture {
        #if arch(x86_64)
            .x86_64
        #else
            .aarch64
        #endif
    }

    /// It, and the interfaces of 32 bits that the same kernel serves.
    package static var nativeFamily: [SeccompArchitecture] {
        #if arch(x86_64)
            [.x86_64, .x86, .x32]
        #else
            [.aarch64, .arm]
        #endif
    }

    /// The native architecture's name in `includes.arches`, which are Go's.
    package static var nativeGoName: String {
        #if arch(x86_64)
            "amd64"
        #else
            "arm64"
        #endif
    }

    /// Whether a profile may name it; those of other machines have no effect here.
    package static func isKnown(_ name: String) -> Bool {
        SeccompArchitecture(rawValue: name) != nil || foreign.contains(name)
    }

    private static let foreign: Set<String> = [
        "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",
        "SCMP_ARCH_S390X",
        "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
        "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ]

    var libraryToken: UInt32 {
        switch self {
        case .x86_64: 0xc000_003e
        case .x86: 0x4000_0003
        case .x32: 0x4000_003e
        case .aarch64: 0xc000_00b7
        case .arm: 0x4000_0028
        }
    }

    /// `arch` of struct seccomp_data: x32 shows as x86_64 with bit 30 in the number of the call.
    var auditValue: UInt32 { self == .x32 ? 0xc000_003e : libraryToken }
}
