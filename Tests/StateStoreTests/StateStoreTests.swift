import Foundation
import Linux
import StateStore
import TestKit
import Testing

struct Pet: StateRecord, Equatable {
    static var kind: String { "pets" }
    static var version: UInt32 { 2 }
    var name: String
    var lives: Int
    var note: String?
}

/// What an older program knew of a `Pet`.
struct OldPet: StateRecord, Equatable {
    static var kind: String { "pets" }
    static var version: UInt32 { 1 }
    var name: String
}

/// A program that knows more, but nothing that an older one must not miss.
struct RicherPet: StateRecord, Equatable {
    static var kind: String { "pets" }
    static var version: UInt32 { 2 }
    var name: String
    var lives: Int
    var colour: String?
}

@Suite("records on disk")
struct StateStoreTests {
    let place: TemporaryRoot
    let path: String

    init() throws {
        place = try TemporaryRoot()
        path = place.path("var/lib/state")
    }

    @Test("a record is written, replaced, read, listed and removed; what is absent is nil or success")
    func life() throws {
        let root = try StateRoot(path: path)
        let store = try root.store(of: Pet.self)
        #expect(try store.read("tom") == nil)
        try store.write("tom", Pet(name: "Tom", lives: 9))
        try store.write("tom", Pet(name: "Tom", lives: 8, note: "é\u{0}\n"), durable: true)
        try store.write("rex", Pet(name: "Rex", lives: 1))
        #expect(try store.read("tom")?.record == Pet(name: "Tom", lives: 8, note: "é\u{0}\n"))
        #expect(try store.read("tom")?.bootID == root.bootID)
        let listing = try store.list()
        #expect(listing.records.map(\.name) == ["rex", "tom"])
        #expect(listing.findings == [])
        try store.remove("tom")
        try store.remove("tom")
        #expect(try store.read("tom") == nil)
        #expect(place.tree().filter { $0.contains("tom") } == [])
    }

    @Test("an object's other files lie beside its record and go with it")
    func neighbours() throws {
        let store = try StateRoot(path: path).store(of: Pet.self)
        try store.write("tom", Pet(name: "Tom", lives: 9))
        try store.openDirectory("tom").replaceFile("exit", [1, 2])
        #expect(try store.list().findings == [])
        try store.remove("tom")
        #expect(!FileManager.default.fileExists(atPath: path + "/pets/tom"))
    }

    @Test("directories and files are for root alone")
    func modes() throws {
        let store = try StateRoot(path: path).store(of: Pet.self)
        try store.write("tom", Pet(name: "Tom", lives: 9))
        for (file, mode) in [
            ("", 0o700), ("/pets", 0o700), ("/pets/tom", 0o700), ("/pets/tom/record", 0o600), ("/lock", 0o600),
        ] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + file)
            #expect(attributes[.posixPermissions] as? Int == mode, "\(file)")
        }
    }

    @Test("a second writer is refused with the first one's pid, until the first one is gone")
    func lock() throws {
        var first: StateRoot? = try StateRoot(path: path)
        #expect(throws: StateError.inUse(root: path, pid: getpid())) { try StateRoot(path: path) }
        let sentence = "\(StateError.inUse(root: path, pid: 7))"
        #expect(sentence.contains(path) && sentence.contains("pid 7"))
        _ = try StateRoot(readingOnly: path)
        #expect(first != nil)
        first = nil
        _ = try StateRoot(path: path)
    }

    @Test("the end of the process releases the lock, whatever ended it")
    func lockOfDeadProcess() async throws {
        let path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        var spawn = ProgramSpawn("/bin/sleep", arguments: [Array("sleep".utf8), Array("1000".utf8)])
        let held = try OwnedFD.open(Path(path + "/lock"), [.readWrite, .create], mode: 0o600)
        try held.writeAll(Array("12345\n".utf8))
        try held.lock()
        // The open file is shared with the program: the lock is its own too.
        try spawn.pass(held, as: 0)
        let program = try spawn.start()
        try held.close()
        #expect(throws: StateError.inUse(root: path, pid: 12345)) { try StateRoot(path: path) }
        try program.pidfd.send(.kill)
        _ = try program.pidfd.wait()
        _ = try StateRoot(path: path)
    }

    @Test(
        "names that could be paths are refused",
        arguments: ["", ".", "..", "a/b", "/", ".hidden", "a\0", "a\n", "-a", String(repeating: "a", count: 129)])
    func names(name: String) throws {
        let store = try StateRoot(path: path).store(of: Pet.self)
        #expect(throws: StateError.badName(name)) { try store.write(name, Pet(name: "x", lives: 0)) }
        #expect(throws: StateError.badName(name)) { try store.remove(name) }
        #expect(throws: StateError.badName(name)) { _ = try store.read(name) }
        #expect(throws: StateError.badName(name)) { _ = try store.openDirectory(name) }
    }

    @Test("a look that holds the lock keeps a writer away, writes nothing, and finds out that one is there")
    func holding() throws {
        #expect(throws: StateError.self) { try StateRoot(holding: path) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Never a daemon's: there is nothing to hold, and no lock is made.
        _ = try StateRoot(holding: path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
        var writer: StateRoot? = try StateRoot(path: path)
        try writer?.store(of: Pet.self).write("tom", Pet(name: "Tom", lives: 9))
        #expect(throws: StateError.inUse(root: path, pid: getpid())) { try StateRoot(holding: path) }
        writer = nil
        let before = place.tree()
        var reader: StateRoot? = try StateRoot(holding: path)
        #expect(throws: StateError.readOnly(root: path)) {
            try reader?.store(of: Pet.self).write("x", Pet(name: "x", lives: 0))
        }
        #expect(try reader?.store(of: Pet.self).list().records.map(\.name) == ["tom"])
        #expect(throws: StateError.inUse(root: path, pid: getpid())) { try StateRoot(path: path) }
        #expect(place.tree() == before)
        reader = nil
        _ = try StateRoot(path: path)
    }

    @Test("a look without writing changes nothing and needs no lock")
    func readingOnly() throws {
        let writer = try StateRoot(path: path)
        try writer.store(of: Pet.self).write("tom", Pet(name: "Tom", lives: 9))
        try place.write([1], to: "var/lib/state/pets/tom/record")
        let before = place.tree()
        let reader = try StateRoot(readingOnly: path).store(of: Pet.self)
        #expect(throws: StateError.readOnly(root: path)) { try reader.write("x", Pet(name: "x", lives: 0)) }
        #expect(throws: StateError.readOnly(root: path)) { try reader.remove("tom") }
        #expect(try reader.list().findings.map(\.kind) == [.damaged(reason: "no header", movedTo: nil)])
        #expect(place.tree() == before)
    }
}

@Suite("records that are not in order")
struct DamagedStateTests {
    let place: TemporaryRoot
    let path: String

    init() throws {
        place = try TemporaryRoot()
        path = place.path("state")
    }

    @Test("a damaged record is moved aside with its neighbours, every time, and the rest is listed")
    func movedAside() throws {
        let store = try StateRoot(path: path).store(of: Pet.self)
        try store.write("good", Pet(name: "Good", lives: 1))
        for round in 0..<3 {
            try store.write("bad", Pet(name: "Bad", lives: 1))
            try place.write([7], to: "state/pets/bad/exit")
            let whole = try place.read("state/pets/bad/record")
            try place.write(Array(whole.dropLast(round + 1)), to: "state/pets/bad/record")
            let listing = try store.list()
            #expect(listing.records.map(\.name) == ["good"])
            let target = path + "/damaged/pets-bad" + (round == 0 ? "" : ".\(round)")
            guard case .damaged(_, target) = listing.findings.first?.kind, listing.findings.count == 1 else {
                Issue.record("found \(listing.findings)")
                return
            }
            #expect(FileManager.default.fileExists(atPath: target + "/exit"))
            #expect(try store.list().findings == [])
        }
    }

    @Test("a record that is a directory, a link, a pipe, empty, huge, or of another kind is damage and never a hang")
    func wrongFiles() throws {
        let store = try StateRoot(path: path).store(of: Pet.self)
        for name in ["directory", "link", "pipe", "empty", "huge", "other"] {
            try store.write(name, Pet(name: name, lives: 1))
        }
        func record(_ name: String) -> String { path + "/pets/\(name)/record" }
        for name in ["directory", "link", "pipe"] { try FileManager.default.removeItem(atPath: record(name)) }
        try FileManager.default.createDirectory(atPath: record("directory"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: record("link"), withDestinationPath: "/dev/zero")
        #expect(mkfifo(record("pipe"), 0o600) == 0)
        try place.write([], to: "state/pets/empty/record")
        #expect(truncate(record("huge"), 1 << 40) == 0)
        struct Stone: StateRecord {
            static var kind: String { "pets" }
            static var version: UInt32 { 2 }
            var weight: Int
        }
        try FileManager.default.removeItem(atPath: record("other"))
        // Whole by its checksum, but not a Pet.
        let other = try TemporaryRoot()
        try StateRoot(path: other.path("s")).store(of: Stone.self).write("other", Stone(weight: 3))
        try place.write(other.read("s/pets/other/record"), to: "state/pets/other/record")

        let listing = try store.list()
        #expect(listing.records.isEmpty)
        #expect(listing.findings.map(\.name) == ["directory", "empty", "huge", "link", "other", "pipe"])
        #expect(listing.findings.allSatisfy { if case .damaged(_, .some) = $0.kind { true } else { false } })
        #expect(try store.list().findings == [])
    }

    @Test("what a crash leaves between two steps is told or replaced")
    func crashes() throws {
        let store = try StateRoot(path: path).store(of: Pet.self)
        // Between making the directory and writing the record.
        try place.directory("state/pets/early")
        // While the record was being written or replaced.
        try place.directory("state/pets/half")
        try place.write("swiftlet-rec", to: "state/pets/half/record.previous")
        try store.write("kept", Pet(name: "Kept", lives: 1))
        try place.write(String(repeating: "swiftlet-rec", count: 100), to: "state/pets/kept/record.previous")
        // While an object was being removed.
        try place.directory("state/pets/late")
        try place.write([0], to: "state/pets/late/exit")
        // Not ours at all.
        try place.write("", to: "state/pets/README")
        try place.directory("state/pets/.dot")

        let listing = try store.list()
        #expect(listing.records.map(\.record) == [Pet(name: "Kept", lives: 1)])
        #expect(
            listing.findings == [
                Finding(store: "pets", name: ".dot", kind: .stranger),
                Finding(store: "pets", name: "README", kind: .stranger),
                Finding(store: "pets", name: "early", kind: .noRecord),
                Finding(store: "pets", name: "half", kind: .noRecord),
                Finding(store: "pets", name: "late", kind: .noRecord),
            ])
        for name in ["early", "half", "late"] { try store.remove(name) }
        try store.write("kept", Pet(name: "Kept", lives: 2))
        #expect(try store.list().findings.count == 2)
        #expect(try store.read("kept")?.record.lives == 2)
    }

    @Test("in place of a record that a power loss has cut, the one before it counts", arguments: [false, true])
    func powerLoss(isReadOnly: Bool) throws {
        do {
            let store = try StateRoot(path: path).store(of: Pet.self)
            for lives in 1...5 {
                try store.write("tom", Pet(name: String(repeating: "o", count: 60 / lives), lives: lives))
            }
            #expect(try store.read("tom")?.record.lives == 5)
        }
        #expect(place.tree().filter { $0.contains("tom/") }.count == 2)
        try place.write([], to: "state/pets/tom/record")
        let root = try isReadOnly ? StateRoot(readingOnly: path) : StateRoot(path: path)
        let store = try root.store(of: Pet.self)
        let listing = try store.list()
        #expect(listing.records.map(\.record.lives) == [4])
        #expect(
            listing.findings == [
                Finding(store: "pets", name: "tom", kind: .previousUsed(reason: "no header"))
            ])
        #expect(try place.read("state/pets/tom/record").isEmpty == isReadOnly)
        if isReadOnly { return }
        #expect(try store.read("tom")?.record.lives == 4)
        try store.write("tom", Pet(name: "Tom", lives: 6))
        #expect(try store.list().findings == [])
        #expect(try store.read("tom")?.record.lives == 6)
    }

    @Test("a newer version is refused and left alone; an older one and unknown fields are read")
    func versions() throws {
        let root = try StateRoot(path: path)
        let new = try root.store(of: Pet.self)
        let old = try root.store(of: OldPet.self)
        try new.write("tom", Pet(name: "Tom", lives: 9))
        let refusal = StateError.newerVersion(file: path + "/pets/tom", version: 2, known: 1)
        #expect(throws: refusal) { _ = try old.read("tom") }
        #expect(throws: refusal) { _ = try old.list() }
        #expect(try new.read("tom")?.record.lives == 9)
        try root.store(of: RicherPet.self).write("rex", RicherPet(name: "Rex", lives: 1, colour: "brown"))
        #expect(try new.read("rex")?.record == Pet(name: "Rex", lives: 1))
        #expect(try root.store(of: RicherPet.self).read("tom")?.record.colour == nil)
    }
}
