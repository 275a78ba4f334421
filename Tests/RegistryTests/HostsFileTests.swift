import Testing

@testable import Registry

@Suite struct HostsFileTests {
    private func hosts(_ text: String, domain: String = "docker.io") throws -> [RegistryHost] {
        try HostsFile(text: text, path: "/hosts.toml", directory: "/dir", domain: domain).hosts
    }

    @Test func `mirrors come in the order of the text, the server last`() throws {
        let hosts = try hosts(
            """
            server = "https://registry-1.docker.io"
            # [host."https://not-me"]
            [host."https://zebra.example"]
              capabilities = ["pull"]
            [host."http://alpha.example:5000"]
              capabilities = ["pull", "resolve", "push"]
              skip_verify = true
            [host."https://middle.example/sub"]
              override_path = true
              dial_timeout = "1m30s"
              ca = ["a.pem", "/etc/b.pem"]
              client = [["c.crt", "c.key"], ["d.pem"]]
              [host."https://middle.example/sub".header]
                x-one = "1"
                x-two = ["2", "3"]
            """)
        #expect(
            hosts.map(\.base.description) == [
                "https://zebra.example/v2", "http://alpha.example:5000/v2", "https://middle.example/sub",
                "https://registry-1.docker.io/v2",
            ])
        #expect(hosts.map(\.canResolve) == [false, true, true, true])
        #expect(hosts.map(\.isUpstream) == [false, false, false, true])
        #expect(hosts.map(\.skipsVerification) == [false, true, false, false])
        #expect(hosts[2].dialTimeout == .seconds(90))
        #expect(hosts[2].authorityFiles == ["/dir/a.pem", "/etc/b.pem"])
        #expect(hosts[2].clientCertificates.map(\.keyFile) == ["/dir/c.key", "/dir/d.pem"])
        #expect(hosts[2].headers.map { "\($0.name)=\($0.value)" } == ["x-one=1", "x-two=2", "x-two=3"])
    }

    @Test func `without a server the registry itself is asked last, for everything`() throws {
        let hosts = try hosts(
            "capabilities = [\"pull\"]\nca = \"x.pem\"\n[host.'http://mirror:1']", domain: "reg.example:444")
        #expect(hosts.map(\.base.description) == ["http://mirror:1/v2", "https://reg.example:444/v2"])
        #expect(hosts.map(\.canResolve) == [true, true])
        #expect(hosts[1].authorityFiles == ["/dir/x.pem"])
    }

    @Test(arguments: [
        ("https://h", false, "https://h/v2"), ("https://h/", false, "https://h/v2"),
        ("h:5000", false, "https://h:5000/v2"),
        ("http://h/v2", false, "http://h/v2"), ("http://h/a", false, "http://h/a/v2"),
        ("http://h/a/", true, "http://h/a"),
        ("http://h", true, "http://h"), ("https://[::1]:5000", false, "https://[::1]:5000/v2"),
    ])
    func `the root of the API is /v2 unless overridden`(_ address: String, _ overrides: Bool, _ base: String) throws {
        let hosts = try hosts("[host.\"\(address)\"]\noverride_path = \(overrides)")
        #expect(hosts[0].base.description == base)
    }

    @Test(arguments: [
        "[host.\"ftp://x\"]", "[host.\"http:// x\"]", "server = 5", "server = \"https://user:pw@h\"",
        "[host.\"https://h\"]\ndial_timeout = \"soon\"",
        "[host.\"https://h\"]\ncapabilities = [\"fly\"]", "[host.\"https://h\"]\nclient = [[\"a\",\"b\",\"c\"]]",
        "server = ",
    ])
    func `a file that cannot be obeyed is an error, never ignored`(_ text: String) {
        #expect(throws: RegistryError.self) { try hosts(text) }
    }

    @Test func `directories are found by host_port_, host:port and _default, and read anew each time`() throws {
        let scratch = try Scratch()
        let directory = HostsDirectory(roots: [scratch.path])
        func first(_ domain: String) throws -> String? { try directory.hosts(for: domain).first?.base.description }

        #expect(try first("reg:5000") == "https://reg:5000/v2")
        try scratch.write("[host.\"http://default\"]", to: "_default/hosts.toml")
        #expect(try first("reg:5000") == "http://default/v2")
        try scratch.write("[host.\"http://plain\"]", to: "reg:5000/hosts.toml")
        #expect(try first("reg:5000") == "http://plain/v2")
        try scratch.write("[host.\"http://under\"]", to: "reg_5000_/hosts.toml")
        #expect(try first("reg:5000") == "http://under/v2")
        #expect(try first("other") == "http://default/v2")
        #expect(try directory.hosts(for: "other").last?.base.description == "https://other/v2")
    }

    @Test func `a directory without hosts.toml holds certificates in docker's layout`() throws {
        let scratch = try Scratch()
        for name in ["ca.crt", "me.cert", "me.key"] { try scratch.write("x", to: "reg/\(name)") }
        let host = try #require(try HostsDirectory(roots: [scratch.path]).hosts(for: "reg").first)
        #expect(host.authorityFiles == ["\(scratch.path)/reg/ca.crt"])
        #expect(host.clientCertificates.first?.keyFile == "\(scratch.path)/reg/me.key")
    }

    @Test(arguments: [
        ("localhost:5000", "http://localhost:5000/v2"), ("127.9.9.9:80", "http://127.9.9.9/v2"),
        ("[::1]:5000", "http://[::1]:5000/v2"),
        ("localhost", "https://localhost/v2"), ("localhost:443", "https://localhost/v2"),
        ("docker.io", "https://registry-1.docker.io/v2"),
        ("127.0.0.1.evil.example:80", "https://127.0.0.1.evil.example:80/v2"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000/v2"),
        ("localhost.example:5000", "https://localhost.example:5000/v2"),
    ])
    func `plain HTTP is for loopback addresses only`(_ domain: String, _ base: String) {
        #expect(RegistryHost.standard(for: domain)?.base.description == base)
    }

    @Test(arguments: [
        ("docker.io", "https://registry-1.docker.io", false), ("docker.io", "https://mirror", true),
        ("reg:5000", "https://reg:5000", false),
        ("reg:5000", "https://reg:6000", true), ("reg", "https://reg", false),
    ])
    func `a mirror is told whose images are meant`(_ domain: String, _ address: String, _ needs: Bool) throws {
        let base = try #require(RegistryURL(address))
        #expect(RegistryHost(base: base).needsNamespace(for: domain) == needs)
    }
}
