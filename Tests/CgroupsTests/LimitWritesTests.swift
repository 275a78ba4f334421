import Cgroups
import Model
import Testing

/// A request and the files that it becomes.
struct LimitCase: Sendable, CustomTestStringConvertible {
    var name: String
    var writes: [LimitWrite]
    var change: @Sendable (inout LinuxResources) -> Void

    init(_ name: String, _ writes: [LimitWrite], _ change: @escaping @Sendable (inout LinuxResources) -> Void) {
        self.name = name
        self.writes = writes
        self.change = change
    }

    var testDescription: String { name }
}

@Suite("limits as file writes")
struct LimitWritesTests {
    static let golden: [LimitCase] = [
        LimitCase("nothing asked, nothing written", []) { _ in },
        LimitCase(
            "what the kubelet sends for a burstable container",
            [
                LimitWrite("cpu.weight", "100"), LimitWrite("cpu.max", "50000 100000"),
                LimitWrite("memory.max", "134217728"),
                LimitWrite("memory.swap.max", "0", mayBeMissing: true),
                LimitWrite("hugetlb.2MB.max", "0", mayBeMissing: true),
                LimitWrite("hugetlb.2MB.rsvd.max", "0", mayBeMissing: true),
                LimitWrite("memory.oom.group", "1"),
            ]
        ) {
            $0.cpuShares = 1024
            $0.cpuQuota = 50000
            $0.cpuPeriod = 100_000
            $0.memoryLimitBytes = 128 << 20
            $0.oomScoreAdj = 900
            $0.hugepageLimits = [.init(pageSize: "2MB", limitBytes: 0)]
            $0.unified = ["memory.oom.group": "1"]
        },
        LimitCase("a quota without a period has the default one", [LimitWrite("cpu.max", "20000 100000")]) {
            $0.cpuQuota = 20000
        },
        LimitCase("a negative quota is no limit", [LimitWrite("cpu.max", "max 50000")]) {
            $0.cpuQuota = -1
            $0.cpuPeriod = 50000
        },
        LimitCase("a period alone changes no quota", [LimitWrite("cpu.max", "max 50000")]) { $0.cpuPeriod = 50000 },
        LimitCase(
            "no memory limit and no swap limit",
            [LimitWrite("memory.max", "max"), LimitWrite("memory.swap.max", "max")]
        ) {
            $0.memoryLimitBytes = -1
            $0.memorySwapLimitBytes = -1
        },
        LimitCase(
            "swap is what the sum leaves beside memory",
            [LimitWrite("memory.max", "1000"), LimitWrite("memory.swap.max", "500")]
        ) {
            $0.memoryLimitBytes = 1000
            $0.memorySwapLimitBytes = 1500
        },
        LimitCase("sets of processors and nodes", [LimitWrite("cpuset.cpus", "0-3,7"), LimitWrite("cpuset.mems", "0")])
        {
            $0.cpusetCPUs = "0-3,7"
            $0.cpusetMems = "0"
        },
        LimitCase("a limit of processes", [LimitWrite("pids.max", "64")]) { $0.pidsLimit = 64 },
        LimitCase("no limit of processes", [LimitWrite("pids.max", "max")]) { $0.pidsLimit = -1 },
        LimitCase(
            "huge pages that are really asked for must be enforced",
            [LimitWrite("hugetlb.1GB.max", "1073741824"), LimitWrite("hugetlb.1GB.rsvd.max", "1073741824")]
        ) { $0.hugepageLimits = [.init(pageSize: "1GB", limitBytes: 1 << 30)] },
        LimitCase(
            "raw values win over the same limit elsewhere and come in the order of their names",
            [LimitWrite("io.max", "8:0 rbps=1"), LimitWrite("memory.high", "100"), LimitWrite("memory.max", "7")]
        ) {
            $0.memoryLimitBytes = -1
            $0.unified = ["memory.max": "7", "memory.high": "100", "io.max": "8:0 rbps=1"]
        },
    ]

    @Test("golden: requests and the files they become", arguments: golden)
    func files(row: LimitCase) throws {
        var resources = LinuxResources()
        row.change(&resources)
        #expect(try resources.limitWrites() == row.writes)
    }

    @Test(
        "values that cannot be limits are refused with the field's name",
        arguments: [
            LimitCase("cpu_shares", []) { $0.cpuShares = -1 },
            LimitCase("cpu_period", []) { $0.cpuPeriod = 999 },
            LimitCase("cpu_period", []) { $0.cpuPeriod = 1_000_001 },
            LimitCase("cpu_period", []) { $0.cpuPeriod = .min },
            LimitCase("cpu_quota", []) { $0.cpuQuota = 999 },
            LimitCase("memory_limit_in_bytes", []) { $0.memoryLimitBytes = -2 },
            LimitCase("memory_swap_limit_in_bytes", []) { $0.memorySwapLimitBytes = 5 },
            LimitCase("memory_swap_limit_in_bytes", []) { $0.memorySwapLimitBytes = -2 },
            LimitCase("memory_swap_limit_in_bytes", []) {
                $0.memoryLimitBytes = 10
                $0.memorySwapLimitBytes = 9
            },
            LimitCase("cpuset_cpus", []) { $0.cpusetCPUs = "0 1" },
            LimitCase("cpuset_mems", []) { $0.cpusetMems = "0\n" },
            LimitCase("cpuset_cpus", []) { $0.cpusetCPUs = String(repeating: "1,", count: 3000) },
            LimitCase("hugepage_limits", []) { $0.hugepageLimits = [.init(pageSize: "../2MB", limitBytes: 1)] },
            LimitCase("hugepage_limits", []) { $0.hugepageLimits = [.init(pageSize: "2mb", limitBytes: 1)] },
            LimitCase("hugepage_limits", []) { $0.hugepageLimits = [.init(pageSize: "", limitBytes: 0)] },
            LimitCase("unified", []) { $0.unified = ["../memory.max": "1"] },
            LimitCase("unified", []) { $0.unified = ["memory/max": "1"] },
            LimitCase("unified", []) { $0.unified = ["": "1"] },
            LimitCase("unified", []) { $0.unified = [".": "1"] },
            LimitCase("unified", []) { $0.unified = ["..": "1"] },
            LimitCase("unified", []) { $0.unified = ["memory": "1"] },
            LimitCase("unified", []) { $0.unified = ["cgroup.procs": "1"] },
            LimitCase("unified", []) { $0.unified = ["cgroup.subtree_control": "+memory"] },
            LimitCase("unified", []) { $0.unified = ["cgroup.freeze": "1"] },
            LimitCase("unified", []) { $0.unified = ["memory.max\0": "1"] },
            LimitCase("unified", []) { $0.unified = ["memory.max": "1\0"] },
            LimitCase("unified", []) { $0.unified = ["memory.max": String(repeating: "1", count: 5000)] },
        ])
    func refused(row: LimitCase) throws {
        var resources = LinuxResources()
        row.change(&resources)
        let error = #expect(throws: CgroupError.self) { try resources.limitWrites() }
        guard case .badLimit(let field, _) = try #require(error) else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(field == row.name)
        #expect(error?.fault.code == .invalidArgument)
    }

    @Test(
        "shares become weights on crun's curve",
        arguments: [
            (0, 1), (1, 1), (2, 1), (4, 2), (10, 4), (100, 17), (102, 17), (512, 59), (1024, 100), (2048, 174),
            (10240, 639),
            (262_144, 10000), (Int64.max, 10000), (Int64.min, 1),
        ] as [(Int64, Int)])
    func weights(shares: Int64, weight: Int) {
        #expect(CPUWeight.weight(ofShares: shares) == weight)
    }

    @Test("weights grow with shares and stay within what the kernel takes")
    func monotonous() {
        var last = 0
        for shares in stride(from: Int64(2), through: 262_144, by: 17) {
            let weight = CPUWeight.weight(ofShares: shares)
            #expect(weight >= last && (1...10_000).contains(weight))
            last = weight
        }
    }

    @Test("an update raises before it lowers")
    func order() {
        let writes = [
            LimitWrite("memory.max", "100"), LimitWrite("memory.swap.max", "max"),
            LimitWrite("cpu.max", "20000 100000"),
            LimitWrite("cpuset.cpus", "0-1"), LimitWrite("pids.max", "10"), LimitWrite("cpu.weight", "5"),
        ]
        let current = [
            "memory.max": "200\n", "memory.swap.max": "0\n", "cpu.max": "max 100000\n", "cpuset.cpus": "\n",
            "pids.max": "5\n",
            "cpu.weight": "5\n",
        ]
        #expect(
            LimitWrite.ordered(writes, current: current).map(\.file)
                == ["memory.swap.max", "pids.max", "cpuset.cpus", "cpu.weight", "memory.max", "cpu.max"])
    }
}
