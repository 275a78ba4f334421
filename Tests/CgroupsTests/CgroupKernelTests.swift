import Cgroups
import Foundation
import Linux
import Model
import TestKit
import Testing

@Suite("cgroups of the kernel", .enabled(if: CgroupFixture.isPossible), .timeLimit(.minutes(10)))
struct CgroupKernelTests {
    @Test("a cgroup is made with its parents, found, and removed; removing it again succeeds")
    func life() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("pod").appending("c")
            #expect(try !fixture.cgroups.exists(path))
            try await fixture.cgroups.create(path)
            #expect(try fixture.cgroups.exists(path))
            #expect(try fixture.cgroups.children(fixture.base) == ["pod"])
            try await fixture.cgroups.create(path)
            try await fixture.cgroups.remove(path)
            #expect(try !fixture.cgroups.exists(path))
            try await fixture.cgroups.remove(path)
            try await fixture.cgroups.remove(path.appending("deep").appending("deeper"))
        }
    }

    @Test("kill, freeze, limits, statistics and counts of a cgroup that is gone succeed and say so")
    func gone() async throws {
        let fixture = try CgroupFixture()
        let path = try fixture.base.appending("nothing")
        try fixture.cgroups.kill(path)
        #expect(try await fixture.cgroups.freeze(path, true))
        #expect(try await fixture.cgroups.waitUntilEmpty(path, within: .seconds(30)))
        #expect(try await fixture.cgroups.update(path, resources: LinuxResources()) == nil)
        #expect(try await fixture.cgroups.statistics(path) == nil)
        #expect(try fixture.cgroups.memoryEvents(path) == nil)
        #expect(try fixture.cgroups.processes(path) == [])
        #expect(try fixture.cgroups.members(path, max: 10) == nil)
        #expect(try fixture.cgroups.children(path) == [])
        #expect(try !fixture.cgroups.isPopulated(path))
        #expect(throws: CgroupError.self) { _ = try fixture.cgroups.open(path) }
    }

    @Test("removing ends every process in the tree")
    func removeWithProcesses() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            let nested = try path.appending("nested")
            try await fixture.cgroups.create(path)
            // As a container makes it: without controllers, so that both may hold processes.
            try fixture.cgroups.open(path).makeDirectory("nested", mode: 0o755)
            let outer = try fixture.shell(in: path, "trap '' TERM; sleep 1000 & sleep 1000")
            let inner = try fixture.shell(in: nested, "exec sleep 1000")
            try await fixture.until {
                try fixture.cgroups.processes(path).count == 3 && fixture.cgroups.processes(nested).count == 1
            }
            #expect(try fixture.cgroups.isPopulated(path))
            // Members are those below as well; a walk that stops before their end says so.
            let members = try #require(try fixture.cgroups.members(path, max: 10))
            #expect(members.processes.count == 4 && members.threads == 4 && members.isWhole)
            let some = try #require(try fixture.cgroups.members(path, max: 2))
            #expect(some.processes.count == 2 && !some.isWhole)
            await #expect(throws: CgroupError.busy(path.description)) { try await fixture.cgroups.create(path) }

            try await fixture.cgroups.remove(path)

            #expect(try outer.pidfd.wait() == .signaled(.kill))
            #expect(try inner.pidfd.wait() == .signaled(.kill))
            #expect(try !fixture.cgroups.exists(path))
        }
    }

    @Test("a tree as deep and as wide as a hostile container makes it is removed")
    func hostileTree() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            try await fixture.cgroups.create(path)
            var directory = try fixture.cgroups.open(path)
            for _ in 0..<1000 {
                try directory.makeDirectory("d", mode: 0o755)
                directory = try directory.open("d", [.readOnly, .directory])
            }
            for number in 0..<300 { try directory.makeDirectory(Path("w\(number)"), mode: 0o755) }
            try await fixture.cgroups.remove(path)
            #expect(try !fixture.cgroups.exists(path))
        }
    }

    @Test("a frozen cgroup's processes stop and go on")
    func freeze() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            try await fixture.cgroups.create(path)
            let program = try fixture.shell(in: path, "while :; do :; done")
            try await fixture.until { try fixture.cgroups.isPopulated(path) }
            #expect(try await fixture.cgroups.freeze(path, true))
            #expect(try fixture.text(path, "cgroup.events").contains("frozen 1"))
            #expect(try await fixture.cgroups.freeze(path, false))
            #expect(try fixture.text(path, "cgroup.events").contains("frozen 0"))
            #expect(try await !fixture.cgroups.waitUntilEmpty(path, within: .milliseconds(5)))
            let killed = try fixture.cgroups.openKill(path)
            try killed.write(Array("1".utf8))
            #expect(try program.pidfd.wait() == .signaled(.kill))
            #expect(try await fixture.cgroups.waitUntilEmpty(path, within: .seconds(30)))
        }
    }

    @Test("starts of one pod's containers at once do not get in each other's way")
    func concurrent() async throws {
        try await CgroupFixture.with { fixture in
            let cgroups = fixture.cgroups
            let base = fixture.base
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await cgroups.create(base.appending("pod\(number % 5)").appending("c\(number)"))
                    }
                }
                try await group.waitForAll()
            }
            let made = try (0..<5).flatMap { try cgroups.children(base.appending("pod\($0)")) }
            #expect(made.count == 50)
        }
    }

    @Test("statistics have what every kernel counts, and nil where no controller is")
    func statistics() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            try await fixture.cgroups.create(path)
            let program = try fixture.shell(in: path, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
            #expect(try program.pidfd.wait() == .exited(0))
            let statistics = try #require(try await fixture.cgroups.statistics(path))
            #expect(try #require(statistics.cpu).usageMicroseconds > 0)
            #expect((statistics.memory != nil) == CgroupFixture.controllers.contains("memory"))
            #expect((statistics.processes != nil) == CgroupFixture.controllers.contains("pids"))
        }
    }

    @Test("the daemon's leaves are made and it moves into its own")
    func adoptDaemon() async throws {
        // In a process of its own: the whole process moves.
        await #expect(processExitsWith: .success) {
            try await CgroupFixture.with { fixture in
                let own = try fixture.cgroups.adoptDaemon(configured: fixture.base.description)
                #expect(try fixture.cgroups.processes(own.daemon).contains(getpid()))
                #expect(try fixture.cgroups.children(own.base) == ["daemon", "supervisors"])
                let again = try fixture.cgroups.adoptDaemon(configured: "")
                #expect(again == own)
                #expect(try fixture.text(own.base, "cgroup.subtree_control") == "")
                // Back, so that the fixture may remove the tree without ending this process.
                try "0".write(toFile: fixture.mountPoint + "/cgroup.procs", atomically: false, encoding: .utf8)
            }
        }
    }
}

@Suite("limits of the kernel", .enabled(if: CgroupFixture.isPossible), .timeLimit(.minutes(10)))
struct LimitKernelTests {
    static let lacksMemory = !CgroupFixture.controllers.contains("memory")

    static func memory(_ bytes: Int64) -> LinuxResources {
        var resources = LinuxResources()
        resources.memoryLimitBytes = bytes
        return resources
    }

    @Test("a limit without its controller fails the call and leaves no cgroup", .enabled(if: lacksMemory))
    func missingController() async throws {
        try await CgroupFixture.with(requireControllers: true) { fixture in
            let path = try fixture.base.appending("c")
            let error = await #expect(throws: CgroupError.self) {
                try await fixture.cgroups.create(path, resources: Self.memory(1 << 30))
            }
            #expect(error == .controllerMissing("memory", file: "memory.max", cgroup: path.description))
            #expect(error?.fault.code == .failedPrecondition)
            #expect(try !fixture.cgroups.exists(path))
        }
    }

    @Test("a host that may lack controllers is told which limits it does not enforce", .enabled(if: lacksMemory))
    func tolerated() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            var resources = Self.memory(1 << 30)
            resources.cpuShares = 512
            #expect(try await fixture.cgroups.create(path, resources: resources) == ["cpu.weight", "memory.max"])
            #expect(try await fixture.cgroups.update(path, resources: resources) == ["cpu.weight", "memory.max"])
        }
    }

    @Test("zero huge pages of a size that the host lacks are what it has")
    func zeroHugepages() async throws {
        try await CgroupFixture.with(requireControllers: true) { fixture in
            var resources = LinuxResources()
            resources.hugepageLimits = [.init(pageSize: "3MB", limitBytes: 0)]
            let path = try fixture.base.appending("c")
            #expect(try await fixture.cgroups.create(path, resources: resources) == [])
            let other = try fixture.base.appending("d")
            resources.hugepageLimits[0].limitBytes = 3 << 20
            await #expect(throws: CgroupError.self) { try await fixture.cgroups.create(other, resources: resources) }
            #expect(try !fixture.cgroups.exists(other))
        }
    }

    @Test(
        "huge page limits are set, changed, and put back when a later one fails",
        .enabled(if: CgroupFixture.controllers.contains("hugetlb")))
    func hugepages() async throws {
        try await CgroupFixture.with(requireControllers: true) { fixture in
            let path = try fixture.base.appending("pod").appending("c")
            var resources = LinuxResources()
            resources.hugepageLimits = [.init(pageSize: "2MB", limitBytes: 4 << 20)]
            #expect(try await fixture.cgroups.create(path, resources: resources) == [])
            #expect(try fixture.text(path, "hugetlb.2MB.max") == "4194304")
            #expect(try fixture.text(path, "hugetlb.2MB.rsvd.max") == "4194304")
            let counted = try #require(try await fixture.cgroups.statistics(path)).hugetlb
            #expect(counted.contains(.init(pageSize: "2MB", currentBytes: 0, limitHits: 0)))

            resources.hugepageLimits[0].limitBytes = 8 << 20
            #expect(try await fixture.cgroups.update(path, resources: resources) == [])
            #expect(try fixture.text(path, "hugetlb.2MB.max") == "8388608")

            resources.hugepageLimits[0].limitBytes = 16 << 20
            resources.unified = ["hugetlb.none.max": "1"]
            let missing = await #expect(throws: CgroupError.self) {
                try await fixture.cgroups.update(path, resources: resources)
            }
            #expect(missing == .noSuchFile("hugetlb.none.max", cgroup: path.description))
            #expect(try fixture.text(path, "hugetlb.2MB.max") == "8388608")
            #expect(try fixture.text(path, "hugetlb.2MB.rsvd.max") == "8388608")
            #expect(try fixture.text(path, "cgroup.subtree_control") == "")
        }
    }

    @Test("a file of no controller fails, also where missing controllers are tolerated")
    func unknownFile() async throws {
        try await CgroupFixture.with(requireControllers: false) { fixture in
            let path = try fixture.base.appending("pod").appending("c")
            var resources = LinuxResources()
            resources.unified = ["no.such.file": "1"]
            let wanted = resources
            let missing = await #expect(throws: CgroupError.self) {
                try await fixture.cgroups.create(path, resources: wanted)
            }
            #expect(missing == .noSuchFile("no.such.file", cgroup: path.description))
        }
    }

    @Test("memory, processor and process limits are set and changed", .enabled(if: !lacksMemory))
    func realLimits() async throws {
        try await CgroupFixture.with(requireControllers: true) { fixture in
            let path = try fixture.base.appending("pod").appending("c")
            var resources = Self.memory(64 << 20)
            resources.cpuShares = 1024
            resources.cpuQuota = 20000
            resources.pidsLimit = 100
            #expect(try await fixture.cgroups.create(path, resources: resources) == [])
            #expect(try fixture.text(path, "memory.max") == "67108864")
            #expect(try fixture.text(path, "cpu.weight") == "100")
            #expect(try fixture.text(path, "cpu.max") == "20000 100000")
            #expect(try fixture.text(path, "pids.max") == "100")
            resources.memoryLimitBytes = 128 << 20
            resources.pidsLimit = -1
            resources.cpuQuota = -1
            #expect(try await fixture.cgroups.update(path, resources: resources) == [])
            #expect(try fixture.text(path, "memory.max") == "134217728")
            #expect(try fixture.text(path, "pids.max") == "max")
            #expect(try fixture.text(path, "cpu.max") == "max 100000")
        }
    }

    @Test("a limit below what is held is refused, and an OOM kill is counted", .enabled(if: !lacksMemory))
    func memoryPressure() async throws {
        try await CgroupFixture.with(requireControllers: true) { fixture in
            let path = try fixture.base.appending("c")
            try await fixture.cgroups.create(path, resources: Self.memory(64 << 20))
            // tail keeps all of a line in memory.
            let holder = try fixture.shell(in: path, "(head -c 20000000 /dev/zero; sleep 1000) | tail")
            try await fixture.until { try (Int(fixture.text(path, "memory.current")) ?? 0) > 20_000_000 }
            let refused = await #expect(throws: CgroupError.self) {
                try await fixture.cgroups.update(path, resources: Self.memory(8 << 20))
            }
            guard case .limitBelowUsage = refused else {
                Issue.record("another error: \(String(describing: refused))")
                return
            }
            #expect(try fixture.text(path, "memory.max") == "67108864")
            try fixture.cgroups.kill(path)
            _ = try holder.pidfd.wait()

            let hog = try fixture.shell(in: path, "tail /dev/zero")
            _ = try hog.pidfd.wait()
            #expect(try #require(try fixture.cgroups.memoryEvents(path)).oomKill >= 1)
        }
    }
}
