import LaunchProtocol
import Model
import OCI
import Planner
import TestKit
import Testing

/// Plans of random requests obey the rules of order, and the rules notice a plan that does not.
@Suite struct OrderTests {
    @Test("every plan of a random request obeys the rules of order")
    func randomRequests() throws {
        var generator = SeededGenerator.announced("random requests")
        var plans = 0
        for _ in 0..<500 {
            let samples = Self.random(&generator)
            let plan: LaunchPlan
            do {
                plan = try samples.plan()
            } catch let fault as Fault {
                // Random mounts may lie where none may be; everything else of a random request is sound.
                #expect(fault.message.contains("container_path") || fault.message.contains("host_path"), "\(fault)")
                continue
            }
            plans += 1
            #expect(OrderRules.violations(of: plan) == [], "seed \(generator.seed)")
            #expect(OrderRules.violations(of: try samples.exec(["true"])) == [])
            #expect(OrderRules.violations(of: try samples.exec(["sh"], .terminal(rows: 1, columns: 1))) == [])
            _ = try PlanCoder.encode(plan)
        }
        #expect(plans > 250)
    }

    /// One change each to a sound plan.
    static let mutations: [(name: String, change: @Sendable (inout [Step]) -> Void)] = [
        (
            "user before bounding set",
            {
                move(
                    &$0, { if case .setUser = $0 { true } else { false } },
                    before: { if case .setBoundingCapabilities = $0 { true } else { false } })
            }
        ),
        ("pivot twice", { steps in steps.insert(.pivotRoot, at: steps.count - 3) }),
        ("no pivot", { $0.removeAll { $0 == .pivotRoot } }),
        (
            "mask before a mount",
            {
                move(
                    &$0, { if case .mask = $0 { true } else { false } },
                    before: { if case .attach = $0 { true } else { false } })
            }
        ),
        ("mask after pivot", { steps in steps.insert(.mask(target: Array("/x".utf8)), at: steps.count - 2) }),
        ("mount after the capabilities are gone", { steps in steps.insert(.makeRootReadonly, at: steps.count - 1) }),
        ("umask under the filter", { steps in steps.insert(.setUmask(0), at: steps.count - 2) }),
        ("capabilities before the filter", { steps in steps.swapAt(steps.count - 2, steps.count - 3) }),
        (
            "volume resolved in stage 2",
            { move(&$0, { $0 == .pivotRoot }, before: { if case .makeOverlay = $0 { true } else { false } }) }
        ),
        (
            "attached twice",
            { steps in
                if let place = steps.firstIndex(where: { if case .attach = $0 { true } else { false } }) {
                    steps.insert(steps[place], at: place)
                }
            }
        ),
        ("attached and never made", { $0.removeAll { if case .cloneTree = $0 { true } else { false } } }),
        ("made and never attached", { $0.removeAll { if case .attach = $0 { true } else { false } } }),
        (
            "child before parent",
            { steps in
                steps.insert(
                    .attach(register: 99, target: Array("/".utf8) + Array("sys/fs".utf8), create: .directory),
                    at: steps.firstIndex(of: .pivotRoot) ?? 0)
            }
        ),
        (
            "nodes after mounts in /dev",
            {
                move(
                    &$0, { if case .attach(_, let target, _) = $0 { target == Array("/dev/pts".utf8) } else { false } },
                    before: { if case .makeDevice = $0 { true } else { false } })
            }
        ),
        ("nothing executed", { $0.removeLast() }),
    ]

    @Test("the rules notice a plan that breaks them", arguments: mutations.map(\.name))
    func noticed(name: String) throws {
        var plan = try Samples().plan()
        #expect(OrderRules.violations(of: plan) == [])
        let mutation = try #require(Self.mutations.first { $0.name == name })
        let sound = plan.steps
        mutation.change(&plan.steps)
        #expect(plan.steps != sound)
        #expect(OrderRules.violations(of: plan) != [])
    }

    /// Moves the first step that matches to before the first that matches the other.
    private static func move(_ steps: inout [Step], _ moved: (Step) -> Bool, before other: (Step) -> Bool) {
        guard let from = steps.firstIndex(where: moved) else { return }
        let step = steps.remove(at: from)
        steps.insert(step, at: steps.firstIndex(where: other) ?? 0)
    }

    static func random(_ generator: inout SeededGenerator) -> Samples {
        var samples = Samples()
        let names = ["CHOWN", "CAP_KILL", "net_admin", "SYS_ADMIN", "ALL", "MKNOD", "SYS_PTRACE"]
        samples.pod.privileged = generator.chance(oneIn: 3)
        samples.container.security.privileged = samples.pod.privileged && generator.chance(oneIn: 2)
        samples.container.security.addCapabilities = (0..<Int.random(in: 0...2, using: &generator)).map { _ in
            generator.pick(names)
        }
        samples.container.security.dropCapabilities = (0..<Int.random(in: 0...2, using: &generator)).map { _ in
            generator.pick(names)
        }
        samples.container.security.noNewPrivileges = generator.chance(oneIn: 2)
        samples.container.security.readonlyRootfs = generator.chance(oneIn: 2)
        samples.container.security.seccomp = generator.pick([nil, .runtimeDefault, .unconfined])
        samples.pod.namespaces.network = generator.pick([.pod, .node])
        samples.pod.namespaces.ipc = generator.pick([.pod, .node])
        samples.pod.namespaces.pid = generator.pick([.pod, .node, .container])
        samples.container.security.namespaces.pid = generator.pick([.pod, samples.pod.namespaces.pid, .target])
        samples.container.security.namespaces.targetID = Samples.otherID.text
        samples.container.tty = generator.chance(oneIn: 3)
        let uid = generator.pick([0, 1, 1000, UInt32.max - 1])
        samples.user = ResolvedUser(uid: uid, gid: generator.pick([0, 1000]), supplementalGroups: [5, 6], home: "/")
        samples.container.workingDirectory = generator.pick(["", "/", "/a/b", "/dev/shm"])
        samples.container.resources.oomScoreAdj = Int64.random(in: -1000...1000, using: &generator)
        samples.container.security.maskedPaths = generator.pick([nil, [], ["/proc/kcore", "/bin/ls"]])
        if generator.chance(oneIn: 4) { samples.host.heldCapabilities.remove(.sysResource) }
        samples.facts.hostMounts = HostMounts([.init(path: "/", isShared: true, isSlave: false)])
        let parts = ["data", "dev", "sys", "fs", "cgroup", "etc", "hosts", "proc", "pts", "shm", "x"]
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let path =
                "/"
                + (0..<Int.random(in: 1...4, using: &generator)).map { _ in generator.pick(parts) }.joined(
                    separator: "/")
            samples.container.mounts.append(
                Samples.mount(
                    path, "/var/lib/\(generator.pick(parts))", readonly: generator.chance(oneIn: 2),
                    propagation: generator.pick([.private, .hostToContainer, .bidirectional])))
        }
        for index in 0..<Int.random(in: 0...3, using: &generator) {
            samples.facts.volumes.append(
                ImageVolume(
                    path: "/" + generator.pick(["data", "x/y", "etc", "dev/shm", "data/x"]),
                    directory: "/var/lib/v/\(index)"))
        }
        samples.holds = generator.pick([[], [.beforeExecute], [.afterNamespaces, .beforePivot]])
        return samples
    }
}
