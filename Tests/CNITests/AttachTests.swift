import CNI
import Foundation
import Linux
import Model
import TestKit
import Testing

@Suite("attaching and releasing pods", .timeLimit(.minutes(10)))
struct AttachTests {
    @Test("plugins run in order with the result of the one before, and in reverse order to release")
    func chain() async throws {
        let node = try PluginFixture()
        try node.plugin("first", PluginFixture.good)
        try node.plugin(
            "second", "log; [ $CNI_COMMAND != ADD ] || echo '\(PluginFixture.result)' | sed s/10.9.0.2/10.9.0.3/")
        try node.configure("first", "second")

        let attachment = try await node.cni.attach(
            request { $0.portMappings = [PortMapping(protocol: .tcp, containerPort: 80, hostPort: 8080, hostIP: "")] })
        #expect(attachment.addresses.map(\.text) == ["10.9.0.3"])
        #expect(attachment.network == "net")
        #expect(attachment.pluginTime > .zero)
        #expect(try node.cni.attachedPods() == [podID])
        #expect(try node.input("first", "ADD")["prevResult"] == nil)
        #expect(try node.input("second", "ADD")["prevResult"] == JSON(parsing: Array(PluginFixture.result.utf8)))
        #expect(try node.input("second", "ADD")["runtimeConfig"]?["portMappings"]?.elements?.count == 1)

        let release = try await node.cni.detach(podID, networkNamespace: "/run/netns/cni-1")
        #expect(release.wasAttached)
        #expect(release.pluginTime > .zero)
        #expect(try node.calls == ["ADD first", "ADD second", "DEL second", "DEL first"])
        #expect(try node.input("first", "DEL")["prevResult"] == attachment.result.source)
        #expect(try node.input("first", "DEL")["runtimeConfig"]?["portMappings"]?.elements?.count == 1)
        #expect(try node.cni.attachedPods() == [])
        #expect(node.root.tree().filter { $0.hasPrefix("cni/") } == [])

        #expect(
            try await node.cni.detach(podID, networkNamespace: nil)
                == NetworkRelease(wasAttached: false, pluginTime: .zero))
    }

    @Test("a plugin's environment is the protocol's variables and a path, nothing of the daemon's")
    func environment() async throws {
        let node = try PluginFixture()
        try node.plugin("only", PluginFixture.good)
        try node.configure("only")
        _ = try await node.cni.attach(request())
        var variables = try node.variables("only", "ADD")
        // What the shell itself adds.
        for name in ["PWD", "OLDPWD", "_", "SHLVL"] { variables[name] = nil }
        #expect(
            variables == [
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "CNI_COMMAND": "ADD",
                "CNI_PATH": "\(node.root.path("nowhere")):\(node.root.path("bin"))", "CNI_CONTAINERID": podID.text,
                "CNI_NETNS": "/run/netns/cni-1", "CNI_IFNAME": "eth0", "CNI_ARGS": try request().cniArguments(),
            ])
    }

    @Test("a release works with the namespace gone and the configuration removed, from what was recorded")
    func releaseFromRecord() async throws {
        let node = try PluginFixture()
        try node.plugin("only", PluginFixture.good)
        try node.plugin("other", "exit 1")
        try node.configure("only")
        let attachment = try await node.cni.attach(request())
        try FileManager.default.removeItem(atPath: node.root.path("net.d"))
        try node.configure("other")

        #expect(try await node.cni.detach(podID, networkNamespace: nil).wasAttached)
        #expect(try node.variables("only", "DEL")["CNI_NETNS"] == "")
        #expect(try node.input("only", "DEL")["prevResult"] == attachment.result.source)
    }

    @Test("a record survives the daemon: another one releases what was half attached, without a result")
    func crash() async throws {
        let node = try PluginFixture()
        try node.plugin("first", PluginFixture.good)
        try node.plugin("second", "log; [ $CNI_COMMAND = DEL ]")
        try node.configure("first", "second")
        await #expect(throws: CNIError.self) { try await node.cni.attach(request()) }
        await #expect(throws: CNIError.alreadyAttached(podID)) { try await node.cni.attach(request()) }

        let next = try CNI(CNI.Options(), recordDirectory: node.root.path("cni"))
        #expect(try next.attachedPods() == [podID])
        // It knows the plugin directories by its own configuration.
        let right = try PluginFixture.sameNode(node)
        #expect(try await right.detach(podID, networkNamespace: nil).wasAttached)
        #expect(try node.calls == ["ADD first", "ADD second", "DEL second", "DEL first"])
        #expect(try node.input("first", "DEL")["prevResult"] == nil)
        #expect(try next.attachedPods() == [])
    }

    @Test("a release that fails keeps the record, tries every plugin, and succeeds when tried again")
    func failingRelease() async throws {
        let node = try PluginFixture()
        try node.plugin("first", PluginFixture.good)
        try node.plugin(
            "second",
            "log; [ $CNI_COMMAND = ADD ] && echo '\(PluginFixture.result)' || [ -e '\(node.root.path("healed"))' ]")
        try node.configure("first", "second")
        _ = try await node.cni.attach(request())
        let error = await #expect(throws: CNIError.self) { try await node.cni.detach(podID, networkNamespace: nil) }
        #expect("\(try #require(error))" == "cni plugin \"second\" DEL: exit status 1")
        #expect(try node.calls.suffix(2) == ["DEL second", "DEL first"])
        #expect(try node.cni.attachedPods() == [podID])
        try node.root.write("", to: "healed")
        #expect(try await node.cni.detach(podID, networkNamespace: nil).wasAttached)
        #expect(try node.cni.attachedPods() == [])
    }

    @Test("a damaged record is released by the pod's id with the present configuration")
    func damagedRecord() async throws {
        let node = try PluginFixture()
        try node.plugin("only", PluginFixture.good)
        try node.configure("only")
        _ = try await node.cni.attach(request())
        let file = "cni/\(podID).json"
        let whole = try node.root.read(file)
        for damaged in [
            [], Array(whole.prefix(whole.count / 2)), whole.map { $0 == UInt8(ascii: "9") ? UInt8(ascii: "8") : $0 },
            [0, 1, 2],
        ] {
            try node.root.write(damaged, to: file)
            #expect(try await node.cni.detach(podID, networkNamespace: nil).wasAttached)
            #expect(try node.variables("only", "DEL")["CNI_CONTAINERID"] == podID.text)
            #expect(try node.cni.attachedPods() == [])
        }
        try node.root.write(Array(whole.prefix(9)), to: file)
        try FileManager.default.removeItem(atPath: node.root.path("net.d"))
        let error = await #expect(throws: CNIError.self) { try await node.cni.detach(podID, networkNamespace: nil) }
        #expect(error?.fault.code == .dataLoss)
        #expect(try node.cni.attachedPods() == [podID])
    }

    @Test("every cut and every flipped byte of a record is found")
    func recordIsChecked() async throws {
        let node = try PluginFixture()
        try node.plugin("only", PluginFixture.good)
        try node.configure("only")
        _ = try await node.cni.attach(request())
        let whole = try node.root.read("cni/\(podID).json")
        let record = try AttachmentRecordProbe.parse(whole)
        for length in 0..<(whole.count - 2) {
            #expect(throws: CNIError.self) { try AttachmentRecordProbe.parse(Array(whole.prefix(length))) }
        }
        for index in whole.indices.dropLast() {
            var flipped = whole
            flipped[index] ^= 0x04
            do { #expect(try AttachmentRecordProbe.parse(flipped) == record) } catch { continue }
        }
    }

    @Test("pods do not wait for one another's plugins")
    func parallel() async throws {
        let node = try PluginFixture()
        try node.plugin(
            "slow",
            "case $CNI_ARGS in *K8S_POD_NAME=quick*) ;; *) echo x >> '\(node.root.path("waiting"))'; while [ ! -e '\(node.root.path("go"))' ]; do sleep 0.05; done;; esac; echo '\(PluginFixture.result)'"
        )
        try node.configure("slow")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    var slow = request { $0.metadata.name = "slow-\(number)" }
                    slow.pod = .random()
                    _ = try await node.cni.attach(slow)
                }
            }
            try await node.until {
                try FileManager.default.fileExists(atPath: node.root.path("waiting"))
                    && node.root.read("waiting").count == 20
            }
            let quick = try await node.cni.attach(request { $0.metadata.name = "quick" })
            #expect(quick.addresses.map(\.text) == ["10.9.0.2"])
            try node.root.write("", to: "go")
            try await group.waitForAll()
        }
        #expect(try node.cni.attachedPods().count == 11)
    }

    @Test("what would be an argument of its own is refused before anything is written or run")
    func badRequest() async throws {
        let node = try PluginFixture()
        try node.plugin("only", PluginFixture.good)
        try node.configure("only")
        for bad in [
            request { $0.metadata.name = "a;b" }, request(networkNamespace: "relative"),
            request(networkNamespace: "/a\0b"),
        ] {
            let error = await #expect(throws: CNIError.self) { try await node.cni.attach(bad) }
            #expect(error?.fault.code == .invalidArgument)
        }
        #expect(try node.calls == [])
        #expect(try node.cni.attachedPods() == [])
    }
}
