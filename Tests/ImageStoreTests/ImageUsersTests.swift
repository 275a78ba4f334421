import Linux
import Model
import OCI
import Testing

@testable import ImageStore

@Suite(.timeLimit(.minutes(10))) struct ImageUsersTests {
    private static let passwd = """
        root:x:0:0:root:/root:/bin/sh
        app:x:1000:1001:App:/home/app:/bin/sh
        99999999999999999999:x:0:0::/:/bin/sh
        1:x:0:0:evil:/evil:/bin/sh
        broken
        low:x:12:
        bad:x:notanumber:0::/:
        badgid:x:77:4294967296::/:
        home:x:78:78::relative:
        newline:x:79:79::/a\tb:
        2000:x:3000:3000::/numeric:/bin/sh
        dup:x:1000:5::/second:
        """
    private static let group = """
        root:x:0:
        app:x:1001:
        extra:x:2001:root,app,other
        more:x:2002:app
        again:x:2001:app
        mine:x:1001:app
        badid:x:4294967296:app
        5000:x:0:
        """

    private func lookup(
        _ text: String, passwd: String? = ImageUsersTests.passwd, group: String? = ImageUsersTests.group
    ) throws -> ImageUser {
        try ImageUserLookup(readFile: { path throws(ImageStoreError) in
            switch path {
            case "/etc/passwd": passwd.map { Array($0.utf8) }
            case "/etc/group": group.map { Array($0.utf8) }
            default: nil
            }
        }).user(text)
    }

    struct Row: CustomTestStringConvertible {
        var text: String
        var user: ImageUser
        var testDescription: String { text }

        init(
            _ text: String, _ uid: UInt32, _ gid: UInt32, groups: [UInt32] = [], home: String? = nil,
            name: String? = nil
        ) {
            self.text = text
            user = ImageUser(uid: uid, gid: gid, additionalGroups: groups, home: home, name: name)
        }
    }

    @Test(arguments: [
        Row("", 0, 0, groups: [2001], home: "/root", name: "root"),
        Row("0", 0, 0, groups: [2001], home: "/root", name: "root"),
        Row("root", 0, 0, groups: [2001], home: "/root", name: "root"),
        Row("app", 1000, 1001, groups: [2001, 2002], home: "/home/app", name: "app"),
        Row("1000", 1000, 1001, groups: [2001, 2002], home: "/home/app", name: "app"),
        Row("app:2002", 1000, 2002, groups: [2001, 1001], home: "/home/app", name: "app"),
        Row("app:more", 1000, 2002, groups: [2001, 1001], home: "/home/app", name: "app"), Row("1234", 1234, 0),
        Row("1234:5", 1234, 5),
        Row("1234:extra", 1234, 2001), Row(":5", 0, 5, groups: [2001], home: "/root", name: "root"),
        Row("1", 1, 0), Row("2000", 2000, 0), Row("01", 1, 0), Row("1234:5000", 1234, 5000),
        Row("2147483647", 2_147_483_647, 0),
        Row("home", 78, 78, name: "home"), Row("newline", 79, 79, name: "newline"),
        Row("app:", 1000, 1001, groups: [2001, 2002], home: "/home/app", name: "app"),
    ])
    func `users are found as the image lists them`(_ row: Row) throws { #expect(try lookup(row.text) == row.user) }

    @Test(arguments: [
        "2147483648", "4294967295", "4294967296", "99999999999999999999", "-1", "+1", "0x0", "1:4294967296", "1:-1",
        "nobody", "app:nogroup", "bad",
        "badgid", "77", "app:badid", "a b", "app:x:y", "low", "broken", "1\u{0}", "app\n",
        String(repeating: "a", count: 1000),
    ])
    func `what is no user is an error, and never root`(_ text: String) {
        #expect { _ = try lookup(text) } throws: { ($0 as? ImageStoreError)?.fault.code == .invalidArgument }
    }

    @Test func `without the files numbers are as they are, and names are errors`() throws {
        #expect(try lookup("", passwd: nil, group: nil) == ImageUser(uid: 0, gid: 0))
        #expect(try lookup("5:6", passwd: nil, group: nil) == ImageUser(uid: 5, gid: 6))
        #expect(throws: ImageStoreError.self) { try lookup("app", passwd: nil) }
        #expect(throws: ImageStoreError.self) { try lookup("5:app", group: nil) }
    }

    @Test func `hostile files are errors for names and nothing for numbers`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let large = String(repeating: "x", count: 11 << 20)
        let hostile: [(inout TarBuilder) -> Void] = [
            { $0.add("etc/passwd", type: "2", link: "/dev/zero") }, { $0.add("etc/passwd", type: "6") },
            { $0.add("etc/passwd", type: "3", mode: 0o666, major: 1, minor: 5) },
            { $0.add("etc/passwd", type: "2", link: "passwd") },
            { $0.add("etc/passwd", content: large) }, { $0.add("etc/passwd", type: "5") },
            { tar in
                tar.add("etc/passwd", content: "app:x:1000:1000::/:\n")
                tar.add("etc/group", type: "6")
            },
        ]
        for (index, build) in hostile.enumerated() {
            let image = try await store.pull(
                try reference("r.example/app\(index)"), from: FakeSource(FakeImage([TarBuilder.archive(build)])))
            await #expect(throws: ImageStoreError.self) { try await store.user("app", of: image.id) }
            #expect(try await store.user("1000", of: image.id).uid == 1000)
            #expect(try await store.user("", of: image.id).uid == 0)
            #expect(try await store.user("0:0", of: image.id).gid == 0)
        }
    }

    @Test func `a line of ten million characters is read in bounded time`() throws {
        let line = String(repeating: "x", count: 10 << 20)
        #expect(throws: ImageStoreError.self) { try lookup("app", passwd: line) }
        #expect(try lookup("7", passwd: line) == ImageUser(uid: 7, gid: 0))
    }

    @Test func `an image's user is a number or a name as the CRI reports it`() {
        #expect(ImageUserName("").user == .number(0))
        #expect(ImageUserName("1000:1000").user == .number(1000))
        #expect(ImageUserName("app").user == .name("app"))
        #expect(ImageUserName("4294967296").user == .invalid("4294967296"))
        #expect(ImageUserName("0x0").user == .name("0x0"))
    }
}
