import CNI
import Foundation
import Linux
import Model
import TestKit
import Testing

/// A node whose network namespace is not the machine's: plugins of the distribution run in it, so that the machine's
/// own links and packet filter stay as they are.
final class NamespaceFixture: Sendable {
    let root: TemporaryRoot
    let cni: CNI
    let reaper = ProgramReaper()

    static let pluginDirectory = "/usr/lib/cni"
    static let tools = [
        "/usr/bin/nsenter", "/usr/bin/unshare", "/usr/sbin/ip", "/usr/sbin/iptables", "/usr/bin/umount",
    ]
    static let isPossible =
        geteuid() == 0
        && (tools + ["bridge", "host-local", "portmap"].map { pluginDirectory + "/" + $0 }).allSatisfy {
            FileManager.default.isExecutableFile(atPath: $0)
        }

    var node: String { root.path("node-ns") }
    var pod: String { root.path("pod-ns") }

    init() throws {
        root = try TemporaryRoot()
        for directory in ["bin", "net.d", "ipam"] { try root.directory(directory) }
        for name in ["bridge", "portmap", "bandwidth", "tuning"] {
            try root.write(
                "#!/bin/sh\nexec /usr/bin/nsenter --net='\(root.path("node-ns"))' \(Self.pluginDirectory)/\(name)\n",
                to: "bin/" + name, mode: 0o755)
        }
        var options = CNI.Options()
        options.configurationDirectory = root.path("net.d")
        // The wrapped ones first; host-local, which bridge runs itself, is the distribution's.
        options.pluginDirectories = [root.path("bin"), Self.pluginDirectory]
        cni = try CNI(options, recordDirectory: root.path("cni"))
        for namespace in [node, pod] {
            try root.write("", to: (namespace as NSString).lastPathComponent)
            _ = try run("/usr/bin/unshare", "--net=\(namespace)", "/usr/sbin/ip", "link", "set", "lo", "up")
        }
    }

    deinit {
        for namespace in [node, pod] {
            do { _ = try run("/usr/bin/umount", namespace) } catch { continue }
        }
    }

    @discardableResult
    func run(_ program: String, _ arguments: String...) throws -> String {
        let outcome = try ProgramRun(
            Path(program), arguments: ([program] + arguments).map { Array($0.utf8) },
            environment: [Array("PATH=/usr/sbin:/usr/bin:/sbin:/bin".utf8)], input: [],
            deadlineNanoseconds: Clock.monotonicNanoseconds + 30_000_000_000
        ).run(reaper: reaper)
        guard outcome.end == .ended(.exited(0)) else {
            throw TestFailure(
                "\(program) \(arguments): \(outcome.end) \(String(decoding: outcome.errorOutput, as: UTF8.self))")
        }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    func inside(_ namespace: String, _ program: String, _ arguments: String...) throws -> String {
        try run(
            "/usr/bin/nsenter", "--net=\(namespace)", "/bin/sh", "-c", ([program] + arguments).joined(separator: " "))
    }

    /// Addresses that host-local has given out.
    var reserved: [String] {
        root.tree().filter { $0.hasPrefix("ipam/net/10.") }.map { ($0 as NSString).lastPathComponent }
    }

    func configure(_ more: String = "") throws {
        try root.write(
            """
            {"cniVersion":"1.0.0","name":"net","plugins":[
              {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,
               "ipam":{"type":"host-local","dataDir":"\(root.path("ipam"))","ranges":[[{"subnet":"10.77.0.0/24"}],[{"subnet":"fd77::/64"}]],
               "routes":[{"dst":"0.0.0.0/0"}]}}\(more)]}
            """, to: "net.d/10-net.conflist")
    }
}

@Suite(
    "the distribution's plugins", .enabled(if: NamespaceFixture.isPossible), .timeLimit(.minutes(10)), .serialized)
struct RealPluginTests {
    static let portmap = #",{"type":"portmap","capabilities":{"portMappings":true},"snat":false}"#

    @Test("a pod gets its addresses and its host port, and gives all of it back")
    func life() async throws {
        let node = try NamespaceFixture()
        try node.configure(Self.portmap)
        #expect(try await node.cni.problem() == nil)
        let attachment = try await node.cni.attach(
            request(
                { $0.portMappings = [PortMapping(protocol: .tcp, containerPort: 80, hostPort: 18080, hostIP: "")] },
                networkNamespace: node.pod))
        #expect(attachment.addresses.map(\.text) == ["10.77.0.2", "fd77::2"])
        let inPod = try node.inside(node.pod, "ip", "-o", "addr", "show", "eth0")
        #expect(inPod.contains("10.77.0.2/24") && inPod.contains("fd77::2/64"))
        #expect(try node.inside(node.node, "iptables-save", "-t", "nat").contains("18080"))
        #expect(node.reserved == ["10.77.0.2"])

        _ = try await node.cni.detach(podID, networkNamespace: node.pod)
        #expect(node.reserved == [])
        #expect(try !node.inside(node.node, "ip", "-o", "link").contains("veth"))
        #expect(try !node.inside(node.node, "iptables-save", "-t", "nat").contains("18080"))
        #expect(try !node.inside(node.pod, "ip", "-o", "link").contains("eth0"))
    }

    @Test("the address and the host port come back also when the namespace and the configuration are gone")
    func goneNamespace() async throws {
        let node = try NamespaceFixture()
        try node.configure(Self.portmap)
        _ = try await node.cni.attach(
            request(
                { $0.portMappings = [PortMapping(protocol: .udp, containerPort: 53, hostPort: 18053, hostIP: "")] },
                networkNamespace: node.pod))
        #expect(node.reserved == ["10.77.0.2"])
        try node.run("/usr/bin/umount", node.pod)
        try FileManager.default.removeItem(atPath: node.root.path("net.d"))

        _ = try await node.cni.detach(podID, networkNamespace: nil)
        #expect(node.reserved == [])
        #expect(try !node.inside(node.node, "iptables-save", "-t", "nat").contains("18053"))
        #expect(try node.cni.attachedPods() == [])
    }

    @Test("a later plugin's failure leaves an address that one release gives back")
    func failedChain() async throws {
        let node = try NamespaceFixture()
        try node.root.write("#!/bin/sh\n[ $CNI_COMMAND = DEL ]\n", to: "bin/never", mode: 0o755)
        try node.configure(",{\"type\":\"never\"}")
        await #expect(throws: CNIError.self) { try await node.cni.attach(request(networkNamespace: node.pod)) }
        #expect(node.reserved == ["10.77.0.2"])
        _ = try await node.cni.detach(podID, networkNamespace: node.pod)
        #expect(node.reserved == [])
        #expect(try !node.inside(node.node, "ip", "-o", "link").contains("veth"))
    }

    @Test("rates of the pod's annotations reach the bandwidth plugin", .enabled(if: canLimitRates))
    func bandwidth() async throws {
        let node = try NamespaceFixture()
        try node.configure(#",{"type":"bandwidth","capabilities":{"bandwidth":true}}"#)
        _ = try await node.cni.attach(
            request(
                { $0.annotations = [Bandwidth.ingressAnnotation: "10M", Bandwidth.egressAnnotation: "20M"] },
                networkNamespace: node.pod))
        let queues = try node.inside(node.node, "tc", "qdisc", "show")
        #expect(queues.contains("rate 10Mbit") && queues.contains("rate 20Mbit"), "\(queues)")
        _ = try await node.cni.detach(podID, networkNamespace: node.pod)
        #expect(try !node.inside(node.node, "tc", "qdisc", "show").contains("rate"))
    }

    /// The plugin needs links of type ifb.
    static let canLimitRates =
        FileManager.default.isExecutableFile(atPath: "/usr/sbin/tc")
        && FileManager.default.fileExists(atPath: "/sys/class/net/ifb0")

    @Test("an error of a plugin is told in its own words")
    func pluginError() async throws {
        let node = try NamespaceFixture()
        try node.configure()
        _ = try await node.cni.attach(request(networkNamespace: node.pod))
        var second = request(networkNamespace: node.pod)
        second.pod = .random()
        let error = await #expect(throws: CNIError.self) { try await node.cni.attach(second) }
        #expect(
            "\(try #require(error))"
                == "cni plugin \"bridge\" ADD: container veth name provided (eth0) already exists (code 999)")
        _ = try await node.cni.detach(second.pod, networkNamespace: node.pod)
        _ = try await node.cni.detach(podID, networkNamespace: node.pod)
        #expect(node.reserved == [])
    }
}
