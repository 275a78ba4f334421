import CNI
import Testing

@Suite("results of plugins")
struct NetworkResultTests {
    static func parse(_ text: String, configured: String = "1.0.0") throws -> NetworkResult {
        try NetworkResult(
            JSON(parsing: Array(text.utf8)), version: CNIVersion(configured) ?? .unstated, plugin: "bridge")
    }

    static let dualStack = """
        {"cniVersion":"1.0.0","interfaces":[{"name":"cni0","mac":"aa:bb:cc:dd:ee:ff"},{"name":"veth1"},
        {"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/run/netns/x","mtu":1500}],
        "ips":[{"address":"fd00::5/64","interface":2},{"address":"10.1.0.5/16","gateway":"10.1.0.1","interface":2},
        {"address":"10.1.0.6/16","interface":2},{"address":"192.0.2.1/24","interface":0}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{}}
        """

    @Test(
        "the pod's addresses are those of its own eth0, the preferred family first",
        arguments: [
            (.ipv4, ["10.1.0.5", "fd00::5", "10.1.0.6"]), (.ipv6, ["fd00::5", "10.1.0.5", "10.1.0.6"]),
            (.cni, ["fd00::5", "10.1.0.5", "10.1.0.6"]),
        ] as [(NetworkResult.Preference, [String])])
    func order(preference: NetworkResult.Preference, addresses: [String]) throws {
        let result = try Self.parse(Self.dualStack)
        #expect(result.podAddresses(interface: "eth0", preference: preference).map(\.text) == addresses)
        #expect(result.addresses[1].gateway?.text == "10.1.0.1")
    }

    @Test("an address without an interface is the pod's, and a preference that no address meets changes nothing")
    func loose() throws {
        let result = try Self.parse(#"{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24"}]}"#)
        #expect(result.podAddresses(interface: "eth0", preference: .ipv6).map(\.text) == ["10.0.0.2"])
    }

    @Test("results before 0.3.0 name one address of each family")
    func old() throws {
        let text = #"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1"},"ip6":{"ip":"fd00::2/64"}}"#
        #expect(
            try Self.parse(text).podAddresses(interface: "eth0", preference: .ipv4).map(\.text) == [
                "10.0.0.2", "fd00::2",
            ])
    }

    @Test(
        "what is no result is refused",
        arguments: [
            "[]", "7", #"{"cniVersion":"7.0.0"}"#, #"{"ips":{}}"#, #"{"ips":[{}]}"#,
            #"{"ips":[{"address":"10.0.0.1"}]}"#,
            #"{"ips":[{"address":"10.0.0.1/99"}]}"#, #"{"ips":[{"address":"10.0.0.1/8","interface":0}]}"#,
            #"{"ips":[{"address":"10.0.0.1/8","interface":-1}]}"#, #"{"interfaces":[{}],"ips":[]}"#,
            #"{"interfaces":7}"#,
            #"{"interfaces":[{"name":"a"}],"ips":[{"address":"10.0.0.1/8","interface":"0"}]}"#,
            #"{"ips":[{"address":"10.0.0.1/8","gateway":"x"}]}"#, #"{"cniVersion":"0.2.0","ip4":{}}"#,
        ])
    func refused(text: String) throws {
        let error = #expect(throws: CNIError.self) { try Self.parse(text) }
        guard case .badResult(plugin: "bridge", _) = try #require(error) else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
    }
}
