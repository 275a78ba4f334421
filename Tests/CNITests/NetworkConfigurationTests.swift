import CNI
import Model
import Testing

let podID: PodID = {
    guard let id = PodID(String(repeating: "0123456789abcdef", count: 4)) else { preconditionFailure("not an id") }
    return id
}()

func request(_ change: (inout PodConfig) -> Void = { _ in }, networkNamespace: String = "/run/netns/cni-1")
    -> NetworkRequest
{
    var config = PodConfig(metadata: PodMetadata(name: "web-0", uid: "11-22", namespace: "default", attempt: 0))
    change(&config)
    return NetworkRequest(pod: podID, config: config, networkNamespace: networkNamespace, cgroupPath: "/kubepods/pod1")
}

func parse(_ text: String, file: String = "10-net.conflist") throws -> NetworkConfiguration {
    try NetworkConfiguration(parsing: Array(text.utf8), file: file)
}

@Suite("network configurations")
struct NetworkConfigurationTests {
    @Test("a list of plugins with their capabilities")
    func list() throws {
        let network = try parse(
            #"{"cniVersion":"1.0.0","name":"net-1","plugins":[{"type":"bridge","mtu":1450},{"type":"portmap","capabilities":{"portMappings":true,"dns":false}}]}"#
        )
        #expect(network.name == "net-1")
        #expect(network.version.description == "1.0.0")
        #expect(network.plugins.map(\.type) == ["bridge", "portmap"])
        #expect(network.plugins[1].capabilities == ["portMappings"])
    }

    @Test("a file with one plugin is a list of one")
    func single() throws {
        let network = try parse(#"{"name":"n","type":"ptp","cniVersion":"0.3.1"}"#, file: "10-net.conf")
        #expect(network.plugins.map(\.type) == ["ptp"])
        #expect(network.version.description == "0.3.1")
    }

    @Test(
        "the newest version that both sides speak is taken",
        arguments: [
            (#""cniVersions":["0.4.0","1.1.0","9.9.9"],"#, "1.1.0"),
            (#""cniVersion":"0.4.0","cniVersions":["1.0.0"],"#, "1.0.0"),
            (#""cniVersion":"0.4.0","cniVersions":["9.0.0"],"#, "0.4.0"), ("", "0.1.0"),
        ])
    func versions(members: String, version: String) throws {
        #expect(try parse("{\(members)\"name\":\"n\",\"plugins\":[{\"type\":\"t\"}]}").version.description == version)
    }

    @Test(
        "a configuration that says something else is refused with the reason",
        arguments: [
            ("", "not JSON"), ("[]", "not a JSON object"), (#"{"plugins":[{"type":"a"}]}"#, "\"name\" is missing"),
            (#"{"name":"a/b","plugins":[{"type":"a"}]}"#, "\"name\""),
            (#"{"name":"..","plugins":[{"type":"a"}]}"#, "\"name\""),
            (#"{"name":"n"}"#, "\"plugins\""), (#"{"name":"n","plugins":[]}"#, "\"plugins\""),
            (#"{"name":"n","plugins":{}}"#, "\"plugins\""),
            (#"{"name":"n","plugins":["a"]}"#, "not an object"),
            (#"{"name":"n","cniVersion":"2.0.0","plugins":[{"type":"a"}]}"#, "\"cniVersion\""),
            (#"{"name":"n","cniVersion":1,"plugins":[{"type":"a"}]}"#, "\"cniVersion\""),
            (#"{"name":"n","cniVersions":["3.0.0"],"plugins":[{"type":"a"}]}"#, "\"cniVersions\""),
            (#"{"name":"n","plugins":[{"type":""}]}"#, "plain file name"),
            (#"{"name":"n","plugins":[{}]}"#, "plain file name"),
            (#"{"name":"n","plugins":[{"type":"../../bin/sh"}]}"#, "plain file name"),
            (#"{"name":"n","plugins":[{"type":"/bin/sh"}]}"#, "plain file name"),
            (#"{"name":"n","plugins":[{"type":".."}]}"#, "plain file name"),
            (#"{"name":"n","plugins":[{"type":"."}]}"#, "plain file name"),
            (#"{"name":"n","plugins":[{"type":"a\u0000b"}]}"#, "plain file name"),
            (#"{"name":"n","plugins":[{"type":7}]}"#, "plain file name"),
        ])
    func refused(text: String, reason: String) throws {
        let error = #expect(throws: CNIError.self) { try parse(text) }
        guard case .badConfiguration(let file, let said) = try #require(error) else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(file == "10-net.conflist")
        #expect(said.contains(reason), "\(said)")
    }

    @Test("golden: what each plugin reads from its standard input")
    func input() throws {
        let network = try parse(
            #"{"cniVersion":"1.0.0","name":"net-1","plugins":[{"type":"bridge","mtu":1450},{"type":"portmap","snat":true,"capabilities":{"portMappings":true,"bandwidth":true}}]}"#
        )
        let arguments = try request {
            $0.portMappings = [
                PortMapping(protocol: .tcp, containerPort: 80, hostPort: 8080, hostIP: ""),
                PortMapping(protocol: .udp, containerPort: 53, hostPort: 53, hostIP: "127.0.0.1"),
            ]
            $0.annotations = [Bandwidth.ingressAnnotation: "10M"]
        }.capabilityArguments()
        let inputs = network.plugins.map {
            network.input(for: $0, arguments: arguments, previous: .object(["ips": .array([])]))
        }
        #expect(
            inputs.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                #"{"cniVersion":"1.0.0","mtu":1450,"name":"net-1","prevResult":{"ips":[]},"type":"bridge"}"#,
                #"{"capabilities":{"bandwidth":true,"portMappings":true},"cniVersion":"1.0.0","name":"net-1","prevResult":{"ips":[]},"#
                    + #""runtimeConfig":{"bandwidth":{"ingressBurst":4294967295,"ingressRate":10000000},"#
                    + #""portMappings":[{"containerPort":80,"hostPort":8080,"protocol":"tcp"},"#
                    + #"{"containerPort":53,"hostIP":"127.0.0.1","hostPort":53,"protocol":"udp"}]},"snat":true,"type":"portmap"}"#,
            ])
    }

    @Test("the capability arguments of a pod")
    func capabilities() throws {
        let arguments = try request {
            var dns = DNSConfig()
            dns.servers = ["10.0.0.10"]
            dns.searches = ["a.b"]
            dns.options = ["ndots:5"]
            $0.dns = dns
            $0.annotations = ["x": "y"]
        }.capabilityArguments()
        #expect(
            arguments == [
                "dns": .object([
                    "servers": .strings(["10.0.0.10"]), "searches": .strings(["a.b"]), "options": .strings(["ndots:5"]),
                ]),
                "cgroupPath": .string("/kubepods/pod1"),
                "io.kubernetes.cri.pod-annotations": .object(["x": .string("y")]),
            ])
    }

    @Test("golden: CNI_ARGS")
    func cniArguments() throws {
        #expect(
            try request().cniArguments()
                == "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=\(podID);K8S_POD_UID=11-22"
        )
    }

    @Test(
        "a name that would become another argument is refused", arguments: ["a;IgnoreUnknown=0", "a=b", "a\nb", "a\0"])
    func injection(name: String) {
        #expect(throws: CNIError.self) { try request { $0.metadata.name = name }.cniArguments() }
        #expect(throws: CNIError.self) { try request { $0.metadata.uid = name }.cniArguments() }
        #expect(throws: CNIError.self) { try request { $0.metadata.namespace = name }.cniArguments() }
    }

    @Test("a rate that is none is refused with the annotation's name")
    func badBandwidth() throws {
        let error = #expect(throws: CNIError.self) {
            try request { $0.annotations = [Bandwidth.egressAnnotation: "fast"] }.capabilityArguments()
        }
        #expect(error?.fault.code == .invalidArgument)
        #expect("\(try #require(error))".contains(Bandwidth.egressAnnotation))
    }
}
