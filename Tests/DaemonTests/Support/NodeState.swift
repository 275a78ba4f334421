import Foundation
import TestKit

/// What the node holds at one moment, under one heading each: what a removed pod may not leave behind.
struct NodeState {
    private let sections: [String: [String]]

    static func take(_ node: Node) async throws -> NodeState {
        var sections: [String: [String]] = [:]
        sections["mounts"] = try mounts(node)
        sections["processes"] = processes(node)
        sections["cgroups"] = cgroups(node)
        sections[descriptors] = openDescriptors(node)
        sections["links"] = try await node.succeed("ls", "/sys/class/net").split(separator: "\n").map(String.init)
        let rules = try await node.run("iptables-save", "-t", "nat")
        sections["address translation"] = rules.stdout.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("-A")
        }
        for directory in ["lib/pods", "lib/containers", "lib/cni"] {
            sections[directory] = listTree(node.path("\(node.root)/\(directory)"))
        }
        sections["state"] = listTree(node.path(node.state + "/run"))
        sections["addresses"] = node.addressesInUse()
        return NodeState(sections: sections)
    }

    /// What `later` has more (`+`) or less (`-`) than this.
    func difference(to later: NodeState) -> [String] {
        sections.keys.sorted().flatMap { name in
            (later.sections[name] ?? []).sorted().difference(from: (sections[name] ?? []).sorted()).map { change in
                switch change {
                case .insert(_, let line, _): "+ \(name): \(line)"
                case .remove(_, let line, _): "- \(name): \(line)"
                }
            }
            // A daemon started anew has fewer descriptors, and idle connections to registries close by themselves.
        }.filter { !$0.hasPrefix("- \(Self.descriptors)") }
    }

    private static let descriptors = "descriptors of the daemon"

    private static func mounts(_ node: Node) throws -> [String] {
        String(decoding: try readFile("/proc/\(node.initProcess)/mountinfo"), as: UTF8.self).split(separator: "\n").map
        {
            // Without the ids, which are given anew.
            $0.split(separator: " ").dropFirst(2).joined(separator: " ")
        }
    }

    private static func processes(_ node: Node) -> [String] {
        let proc = node.path("/proc")
        return Processes.all(in: proc)
            .filter { !Processes.isZombie($0, in: proc) && !Processes.isIdleTurn($0, in: proc) }
            .map { Processes.name($0, in: proc) }
            // The tests' own commands, and the server of images, come and go.
            .filter { !["nsenter", "ls", ""].contains($0) }
    }

    /// Every cgroup of the node: the daemon's own, and those below the parent that the tests' pods name.
    private static func cgroups(_ node: Node) -> [String] {
        let mount = node.cgroupMount
        let tops = (try? FileManager.default.contentsOfDirectory(atPath: mount)) ?? []
        return tops.filter { $0.contains(node.mark) || $0.count == 64 }.flatMap { top in
            // The empty leaf of an exec is left for the next one, as long as the container lives.
            [top] + node.cgroups(below: top).map { "\(top)/\($0)" }.filter { !isLeftLeaf("\(mount)/\($0)") }
        }
    }

    private static func isLeftLeaf(_ path: String) -> Bool {
        guard path.split(separator: "/").last?.hasPrefix("exec-") == true else { return false }
        let events = (try? readFile(path + "/cgroup.events")).map { String(decoding: $0, as: UTF8.self) }
        return events?.contains("populated 0") == true
    }

    private static func openDescriptors(_ node: Node) -> [String] {
        guard let daemon = node.daemonProcess() else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon)/fd")) ?? []
        // A pod's connection keeps some plans of execs that came twice.
        var keptPlans = 4 * listTree(node.path(node.state + "/run")).count { $0.hasSuffix("/ctl") }
        return names.compactMap { name in
            let target = Processes.link(daemon, "fd/\(name)")
            // Device programs are kept, one for each list of devices up to a limit; the library of timers opens its own
            // descriptor when one is waited for and closes it later.
            if target == "anon_inode:bpf-prog" || target == "anon_inode:[timerfd]" { return nil }
            if target.hasPrefix("/memfd:plan"), keptPlans > 0 {
                keptPlans -= 1
                return nil
            }
            let isNumbered = target.hasPrefix("pipe:[") || target.hasPrefix("socket:[")
            return isNumbered ? String(target.prefix { $0 != "[" }) : target
        }
    }
}

extension Node {
    /// Where cgroup2 is mounted; the controllers of version 1 may be beside it.
    var cgroupMount: String {
        // "self" is nobody to the node's procfs: this process is outside of its PID namespace.
        let text = (try? text("/proc/1/mountinfo")) ?? ""
        for line in text.split(separator: "\n") where line.contains(" - cgroup2 ") {
            return String(line.split(separator: " ")[4])
        }
        return "/sys/fs/cgroup"
    }

    /// Directories below a cgroup, relative to it.
    func cgroups(below top: String) -> [String] {
        // A doubled slash makes the enumerator name nothing.
        let base = cgroupMount + "/" + top.drop { $0 == "/" }
        return listTree(base).filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(base)/\(name)", isDirectory: &isDirectory)
                && isDirectory.boolValue
        }
    }

    /// Addresses that the IPAM plugin has given away.
    func addressesInUse() -> [String] {
        listTree(path(root + "/addresses")).filter { ($0 as NSString).lastPathComponent.hasPrefix("10.") }
    }

    /// Runs a body and demands that nothing of it stays on the node; what is on its way out gets a moment to go.
    func leavesNothing<T>(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T) async throws -> T
    {
        let before = try await NodeState.take(self)
        let result = try await body()
        try await expectNothing(since: before)
        return result
    }

    ///
    /// - Parameter pluginMayForgetRules: the bridge plugin drops its own masquerading rules only after the link; where its DEL
    ///   is cut off in between, no later DEL of the plugin finds them (containernetworking/plugins 1.1).
    func expectNothing(
        since before: NodeState, within patience: Duration = .seconds(60), pluginMayForgetRules: Bool = false
    ) async throws {
        let deadline = ContinuousClock.now + patience
        let difference = {
            before.difference(to: try await NodeState.take(self)).filter {
                !pluginMayForgetRules || !$0.hasPrefix("+ address translation")
            }
        }
        var left = try await difference()
        while !left.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
            left = try await difference()
        }
        guard left.isEmpty else { throw TestFailure("left behind:\n" + left.joined(separator: "\n")) }
    }
}
