/// What a filter does with calls that libseccomp or the profile is too old to know.
///
/// libseccomp answers them with the profile's default, mostly EPERM; programs that try a new call and fall back to an
/// old one understand ENOSYS only (clone3, faccessat2, fchmodat2 have all broken images that way). So, as runc does,
/// a few instructions in front of the filter answer ENOSYS above the highest number that the profile names. They also
/// carry out what the profile says about calls that are too new for libseccomp to have a number for.
struct UnknownSyscalls: Equatable {
    struct Decision: Equatable {
        var number: UInt32
        /// SECCOMP_RET_*.
        var action: UInt32
    }

    /// One table of system calls.
    struct Table: Equatable {
        var architecture: SeccompArchitecture
        /// Calls above it get ENOSYS; nil = the filter decides.
        var highest: UInt32?
        var decisions: [Decision]
    }

    var tables: [Table]

    /// Below this number no call is new: where the tables of all architectures were united (Linux 5.0),
    /// pidfd_send_signal being 424.
    static let lastOldNumber: UInt32 = 423

    /// Calls of the united tables that libseccomp 2.5 has no number for.
    static let newer: [String: UInt32] = [
        "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454, "futex_wait": 455,
        "futex_requeue": 456,
        "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460, "lsm_list_modules": 461,
        "mseal": 462, "setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466,
        "open_tree_attr": 467,
        "file_getattr": 468, "file_setattr": 469,
    ]

    /// The instructions; where they decide nothing, execution goes on behind them.
    func instructions() -> [BPFInstruction] {
        var out: [Part] = [.plain(.load(offset: 4))]
        for audit in Set(tables.map(\.architecture.auditValue)).sorted() {
            let body = callsOf(tables.filter { $0.architecture.auditValue == audit })
            out += [.plain(.skipIfEqual(audit)), .plain(.jump(UInt32(body.count)))] + body
        }
        let end = out.count
        return out.enumerated().map { index, part in
            switch part {
            case .plain(let instruction): instruction
            case .toFilter: .jump(UInt32(end - index - 1))
            }
        }
    }

    private enum Part {
        case plain(BPFInstruction)
        /// A jump to what follows the last of all instructions.
        case toFilter
    }

    /// x32 shares the architecture of x86_64 and is told by bit 30 of the number.
    private static let x32Bit: UInt32 = 0x4000_0000

    private func callsOf(_ tables: [Table]) -> [Part] {
        var out: [Part] = [.plain(.load(offset: 0))]
        guard tables.contains(where: { $0.architecture == .x86_64 || $0.architecture == .x32 }) else {
            return out + tables.flatMap { decide($0, base: 0) }
        }
        let x32 = tables.first { $0.architecture == .x32 }.map { decide($0, base: Self.x32Bit) } ?? [.toFilter]
        let x86_64 = tables.first { $0.architecture == .x86_64 }.map { decide($0, base: 0) } ?? [.toFilter]
        out += [.plain(.skipIfAtLeast(Self.x32Bit)), .plain(.jump(UInt32(x32.count)))]
        return out + x32 + x86_64
    }

    /// x32 has calls of its own from 512 to 547, which are as old as it is.
    private func decide(_ table: Table, base: UInt32) -> [Part] {
        var out: [Part] = []
        if let highest = table.highest {
            out += [.plain(.skipIfGreater(base | highest)), .toFilter]
            if table.architecture == .x32 {
                out += [.plain(.skipTwoIfAtLeast(base | 548)), .plain(.skipUnlessAtLeast(base | 512)), .toFilter]
            }
        }
        for decision in table.decisions {
            out += [.plain(.skipUnlessEqual(base | decision.number)), .plain(.answer(decision.action))]
        }
        out.append(table.highest == nil ? .toFilter : .plain(.answer(SeccompAction.errno(38).kernelValue)))
        return out
    }
}
