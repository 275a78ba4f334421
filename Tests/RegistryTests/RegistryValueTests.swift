import Model
import Testing

@testable import Registry

@Suite struct RegistryURLTests {
    @Test(arguments: [
        "ftp://h", "http://", "http:///x", "http://u@h", "http://h:0", "http://h:70000", "http://h:x", "http://h\\x",
        "http://h/ x", "//h",
        "h", "http://[::1", "http://[zz]", "http://h/\u{0}", "http://h/ä",
        "http://" + String(repeating: "a", count: 300), "file:///etc/passwd",
    ])
    func `what two parsers may read differently is no URL`(_ text: String) { #expect(RegistryURL(text) == nil) }

    @Test(arguments: [
        ("https://b/x?y=1", "https://b/x?y=1"), ("/x", "http://a:1/x"), ("x", "http://a:1/v2/r/x"),
        ("//b/x", "http://b/x"),
        ("HTTP://B:80/x#f", "http://b/x"), ("?q", "http://a:1/v2/r/?q"),
    ])
    func `a location is resolved against the request`(_ location: String, _ expected: String) throws {
        #expect(
            try #require(RegistryURL("http://a:1/v2/r/blob?q=1")).resolving(location: location)?.description == expected
        )
    }

    @Test(arguments: ["file:///etc/passwd", "javascript:x", "http://u:p@b/", "data:x"])
    func `a location of another kind is none`(_ location: String) throws {
        #expect(try #require(RegistryURL("http://a/v2/")).resolving(location: location) == nil)
    }
}

@Suite struct MachineLocalTests {
    @Test(arguments: [
        ("http://localhost:1", true), ("http://127.5.5.5", true), ("http://[::1]:8", true),
        ("http://169.254.169.254", true),
        ("http://[fe80::1]", true), ("http://0.0.0.0", true), ("https://example.org", false),
        ("http://10.0.0.1", false),
        ("http://127.0.0.1.example", false), ("http://1270.0.0.1", false), ("http://localhost.example", false),
    ])
    func `addresses of this machine are told from others, so that no registry can redirect to them`(
        _ url: String, _ isLocal: Bool
    ) {
        #expect(RegistryURL(url)?.isMachineLocal == isLocal)
    }
}

@Suite struct ChallengeTests {
    @Test(arguments: [
        (#"Basic realm="x""#, [Challenge(scheme: "basic", parameters: ["realm": "x"])]),
        (
            #"Bearer realm="https://t/?a=b,c",service="s",scope="repository:a/b:pull,push""#,
            [
                Challenge(
                    scheme: "bearer",
                    parameters: ["realm": "https://t/?a=b,c", "service": "s", "scope": "repository:a/b:pull,push"])
            ]
        ),
        (
            #"Negotiate, Basic realm=x, Bearer Realm="\"q\"""#,
            [
                Challenge(scheme: "negotiate", parameters: [:]), Challenge(scheme: "basic", parameters: ["realm": "x"]),
                Challenge(scheme: "bearer", parameters: ["realm": "\"q\""]),
            ]
        ), ("", []), (#"Bearer realm="open"#, [Challenge(scheme: "bearer", parameters: [:])]), ("\"=\"=", []),
    ])
    func `challenges are read as HTTP writes them`(_ value: String, _ expected: [Challenge]) {
        #expect(Challenge.parse(value) == expected)
    }
}

@Suite struct RegistryCredentialsTests {
    @Test func `auth is base64 of user and password`() throws {
        let credentials = try RegistryCredentials(auth: "dXNlcjpwYTpzcw==")
        #expect(credentials.username == "user")
        #expect(credentials.password == "pa:ss")
        #expect(try RegistryCredentials(auth: "dXNlcjpwYTpzcw").password == "pa:ss")
        #expect(try RegistryCredentials(username: "other", auth: "dXNlcjpwYTpzcw==").username == "other")
        #expect(throws: Fault.self) { try RegistryCredentials(auth: "!!") }
        #expect(throws: Fault.self) { try RegistryCredentials(auth: "dXNlcg==") }
    }

    struct Case: CustomTestStringConvertible {
        var domain: String
        var server: String
        var host: String
        var isUpstream = false
        var sent: Bool
        var testDescription: String { "\(domain) \(server) \(host)" }
    }

    @Test(arguments: [
        Case(domain: "reg:5000", server: "", host: "https://reg:5000", sent: true),
        Case(domain: "reg:5000", server: "", host: "https://mirror", sent: false),
        Case(domain: "reg:5000", server: "", host: "https://reg:6000", sent: false),
        Case(domain: "reg:5000", server: "", host: "https://10.0.0.1", isUpstream: true, sent: true),
        Case(domain: "docker.io", server: "", host: "https://registry-1.docker.io", sent: true),
        Case(
            domain: "docker.io", server: "https://index.docker.io/v1/", host: "https://registry-1.docker.io", sent: true
        ),
        Case(domain: "reg:5000", server: "https://reg:5000/", host: "https://reg:5000", sent: true),
        Case(domain: "reg:5000", server: "other", host: "https://reg:5000", isUpstream: true, sent: false),
        Case(domain: "reg:5000", server: "mirror", host: "https://mirror", sent: true),
    ])
    func `credentials go to the host that they are for`(_ row: Case) throws {
        var host = RegistryHost(base: try #require(RegistryURL(row.host)))
        host.isUpstream = row.isUpstream
        let credentials = try RegistryCredentials(username: "u", password: "p", serverAddress: row.server)
        #expect(credentials.mayBeSent(to: host, domain: row.domain) == row.sent)
        #expect(!(try RegistryCredentials(serverAddress: row.server).mayBeSent(to: host, domain: row.domain)))
    }
}
