import Model
import Testing

private let zeros = String(repeating: "0", count: 64)

@Suite struct ImageReferenceTests {
    struct Name: CustomTestStringConvertible {
        var written: String
        var canonical: String
        var familiar: String
        var testDescription: String { written }
    }

    @Test(arguments: [
        Name(written: "busybox", canonical: "docker.io/library/busybox:latest", familiar: "busybox:latest"),
        Name(written: "busybox:1.36", canonical: "docker.io/library/busybox:1.36", familiar: "busybox:1.36"),
        Name(written: "user/app", canonical: "docker.io/user/app:latest", familiar: "user/app:latest"),
        Name(written: "library/app", canonical: "docker.io/library/app:latest", familiar: "app:latest"),
        Name(written: "docker.io/app", canonical: "docker.io/library/app:latest", familiar: "app:latest"),
        Name(written: "index.docker.io/app", canonical: "docker.io/library/app:latest", familiar: "app:latest"),
        Name(written: "library/a/b", canonical: "docker.io/library/a/b:latest", familiar: "library/a/b:latest"),
        Name(written: "localhost/app", canonical: "localhost/app:latest", familiar: "localhost/app:latest"),
        Name(written: "localhost:5000", canonical: "docker.io/library/localhost:5000", familiar: "localhost:5000"),
        Name(written: "localhost:5000/app:v1", canonical: "localhost:5000/app:v1", familiar: "localhost:5000/app:v1"),
        Name(written: "[::1]:5000/app", canonical: "[::1]:5000/app:latest", familiar: "[::1]:5000/app:latest"),
        Name(written: "[fe80::1]/app", canonical: "[fe80::1]/app:latest", familiar: "[fe80::1]/app:latest"),
        Name(
            written: "registry.example/a/b/c", canonical: "registry.example/a/b/c:latest",
            familiar: "registry.example/a/b/c:latest"),
        Name(written: "Registry/app", canonical: "Registry/app:latest", familiar: "Registry/app:latest"),
        Name(
            written: "app:tag@sha256:\(zeros)", canonical: "docker.io/library/app@sha256:\(zeros)",
            familiar: "app@sha256:\(zeros)"),
        Name(
            written: "a.b-c__d---e_f", canonical: "docker.io/library/a.b-c__d---e_f:latest",
            familiar: "a.b-c__d---e_f:latest"),
    ])
    func `a name is normalised as docker does`(_ name: Name) throws {
        let reference = try ImageReference(name.written)
        #expect(reference.canonical == name.canonical)
        #expect(reference.familiar == name.familiar)
        #expect(try ImageReference(reference.canonical) == reference)
        #expect(try ImageReference(reference.familiar) == reference)
    }

    static let wrong: [String] = [
        "", " ", "a b", "localhost:99999999/x", "localhost:0/x", "localhost:/x", "a/../b", "../a", "/a", "a/", "a//b",
        "Busybox", "a/B",
        "app@sha256:short", "app@sha256:" + String(repeating: "G", count: 64),
        "app@sha256:" + String(repeating: "A", count: 64),
        "app@md5:" + zeros, "app@sha512:" + zeros, "app@", "app@sha256:\(zeros)@sha256:\(zeros)", "app:", "app:-x",
        "app:.x",
        "app:" + String(repeating: "t", count: 129), "app:ta/g", "bu\u{0441}ybox", "a\u{0}b", "a\nb", "a___b", "a..b",
        "a._b", "-a", "a-", "_a",
        ".a", "exa_mple.com/x", "-host.com/x", "host-.com/x", "host..com/x", "[::1/x", "[]/x", "[::1]x/y", "[zz::]/x",
        zeros,
        String(repeating: "a", count: 256), String(repeating: "a/", count: 5000) + "a", "http://host/x",
        "user:pass@host/x",
        "a%2fb", "host.com/a?x=1", "host.com/a#f",
    ]

    @Test(arguments: wrong)
    func `a name outside the grammar is an invalid argument`(_ name: String) {
        #expect {
            _ = try ImageReference(name)
        } throws: {
            ($0 as? Fault)?.code == .invalidArgument
        }
    }

    @Test func `a tag of 128 characters and a name of 255 bytes are allowed`() throws {
        _ = try ImageReference("app:" + String(repeating: "t", count: 128))
        _ = try ImageReference("host.com/" + String(repeating: "a", count: 246))
    }

    @Test func `a digest is only what its algorithm writes`() {
        #expect(Digest("sha256:\(zeros)")?.description == "sha256:\(zeros)")
        #expect(Digest("sha512:\(zeros)\(zeros)")?.algorithm == .sha512)
        for text in [
            "", "sha256", "sha256:", zeros, "sha256:\(zeros)0", "sha256:../\(zeros.dropLast(3))", "SHA256:\(zeros)",
            "sha1:\(zeros)",
        ] {
            #expect(Digest(text) == nil)
        }
    }
}
