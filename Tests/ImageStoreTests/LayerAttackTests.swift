import Foundation
import Linux
import Model
import OCI
import Testing

@testable import ImageStore

/// Archives that attack the machine they are unpacked on: rows L1 to L10 of the attack table. Whatever an archive
/// tries, the canary beside the layer is untouched, and the layer is either refused or confined.
@Suite(.timeLimit(.minutes(10))) struct LayerAttackTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        enum Outcome: Sendable { case refused, confined, either }
        var name: String
        var outcome: Outcome
        /// Gets the canary's absolute path.
        var build: @Sendable (inout TarBuilder, String) -> Void
        var testDescription: String { name }

        init(_ name: String, _ outcome: Outcome, _ build: @escaping @Sendable (inout TarBuilder, String) -> Void) {
            self.name = name
            self.outcome = outcome
            self.build = build
        }
    }

    static let names: [Attack] = [
        Attack("L1 dot dot", .refused) { tar, _ in tar.add("../../canary/x", content: "x") },
        Attack("L1 dot dot inside", .refused) { tar, _ in tar.add("a/../../canary/x", content: "x") },
        Attack("L1 dot dot alone", .refused) { tar, _ in tar.add("..", type: "5") },
        Attack("L1 dot dot at the end", .refused) { tar, _ in tar.add("a/..", type: "5") },
        Attack("L1 absolute", .confined) { tar, canary in tar.add("\(canary)/x", content: "x") },
        Attack("L1 many slashes", .confined) { tar, canary in tar.add("////\(canary)//x", content: "x") },
        Attack("L1 the root", .confined) { tar, _ in tar.add("./", type: "5", mode: 0o700) },
        Attack("L1 the root as a file", .refused) { tar, _ in tar.add(".", content: "x") },
        Attack("L1 the root as a link", .refused) { tar, canary in tar.add("./", type: "2", link: canary) },
        Attack("L1 empty name", .refused) { tar, _ in tar.add("", content: "x") },
        Attack("L1 slash", .confined) { tar, _ in tar.add("/", type: "5") },
        Attack("L1 file with a slash at its end", .confined) { tar, _ in tar.add("a/") },
        Attack("L1 NUL by PAX", .refused) { tar, _ in tar.add("x", pax: [("path", Array("a\u{0}b".utf8))]) },
        Attack("L1 empty PAX path", .refused) { tar, _ in tar.add("x", pax: [("path", [])]) },
        Attack("L1 5000 bytes", .refused) { tar, _ in
            tar.add(String(repeating: "a/", count: 200) + String(repeating: "b", count: 4600))
        },
        Attack("L1 component of 256 bytes", .refused) { tar, _ in tar.add(String(repeating: "b", count: 256)) },
        Attack("L1 300 deep", .refused) { tar, _ in tar.add(String(repeating: "a/", count: 300) + "b") },
        Attack("L1 invalid UTF-8 and newline", .confined) { tar, _ in tar.add([0xff, 0xfe, 0x0a, 0x41], content: [1]) },
    ]

    static let links: [Attack] = [
        Attack("L2 through a link", .either) { tar, canary in
            tar.add("etc", type: "2", link: canary)
            tar.add("etc/pwn", content: "x")
        },
        Attack("L2 over a file through a link", .either) { tar, canary in
            tar.add("etc", type: "2", link: canary)
            tar.add("etc/shadow", content: "x")
        },
        Attack("L2 three hops", .either) { tar, canary in
            tar.add("a", type: "2", link: "b")
            tar.add("b", type: "2", link: "c/../c")
            tar.add("c", type: "2", link: canary)
            tar.add("a/pwn", content: "x")
            tar.add("a/dir/pwn", content: "x")
        },
        Attack("L2 relative link upwards", .either) { tar, _ in
            tar.add("d/up", type: "2", link: "../../../../../../../../..")
            tar.add("d/up/tmp/pwn-images-test", content: "x")
        },
        Attack("L2 link to a directory of the layer", .confined) { tar, _ in
            tar.add("usr/lib", type: "5")
            tar.add("lib", type: "2", link: "usr/lib")
            tar.add("lib/x", content: "x")
        },
        Attack("L2 link in a circle", .refused) { tar, _ in
            tar.add("a", type: "2", link: "b")
            tar.add("b", type: "2", link: "a")
            tar.add("a/x", content: "x")
        },
        Attack("L2 directory over a link keeps its own mode", .confined) { tar, canary in
            tar.add("etc", type: "2", link: canary)
            tar.add("etc", type: "5", mode: 0o777, uid: 7)
        },
        Attack("L2 magic link", .either) { tar, _ in
            tar.add("p", type: "2", link: "/proc/self/root")
            tar.add("p/tmp/pwn-images-test", content: "x")
        },
        Attack("L2 overlong link target", .refused) { tar, _ in
            tar.add("l", type: "2", link: String(repeating: "x", count: 5000))
        },
        Attack("L2 empty link target", .refused) { tar, _ in tar.add("l", type: "2") },
        Attack("L3 hard link through a link", .refused) { tar, canary in
            tar.add("etc", type: "2", link: canary)
            tar.add("mine", type: "1", mode: 0o777, uid: 7, link: "etc/shadow")
        },
        Attack("L3 hard link upwards", .refused) { tar, _ in tar.add("mine", type: "1", link: "../../canary/f") },
        Attack("L3 hard link to an absolute path", .refused) { tar, canary in
            tar.add("mine", type: "1", link: "\(canary)/f")
        },
        Attack("L3 hard link to a directory", .refused) { tar, _ in
            tar.add("d", type: "5")
            tar.add("mine", type: "1", link: "d")
        },
        Attack("L3 hard link to the root", .refused) { tar, _ in tar.add("mine", type: "1", link: ".") },
        Attack("L3 hard link to a whiteout", .refused) { tar, _ in
            tar.add(".wh.gone")
            tar.add("mine", type: "1", link: "gone")
        },
        Attack("L3 chmod, chown and xattr by a hard link to a link", .confined) { tar, canary in
            tar.add("l", type: "2", link: "\(canary)/f")
            tar.add("mine", type: "1", mode: 0o4777, uid: 7, gid: 7, link: "l", pax: [("SCHILY.xattr.user.x", [1])])
        },
        Attack("L3 file over a hard link", .confined) { tar, canary in
            tar.add("l", type: "2", link: "\(canary)/f")
            tar.add("l", content: "x")
        },
    ]

    static let marks: [Attack] = [
        Attack("L4 whiteout of dot dot", .refused) { tar, _ in tar.add(".wh...") },
        Attack("L4 whiteout of nothing", .refused) { tar, _ in tar.add(".wh.") },
        Attack("L4 whiteout of dot", .refused) { tar, _ in tar.add(".wh..") },
        Attack("L4 whiteout upwards", .refused) { tar, _ in tar.add("a/.wh.../canary") },
        Attack("L4 whiteout as a directory", .refused) { tar, _ in tar.add(".wh.foo/bar") },
        Attack("L4 opaque root", .confined) { tar, _ in tar.add(".wh..wh..opq") },
        Attack("L4 opaque below a link", .either) { tar, canary in
            tar.add("l", type: "2", link: canary)
            tar.add("l/.wh..wh..opq")
        },
        Attack("L4 whiteout below a link", .either) { tar, canary in
            tar.add("l", type: "2", link: canary)
            tar.add("l/.wh.f")
        },
        Attack("L4 notes of aufs", .confined) { tar, _ in
            tar.add(".wh..wh.plnk", type: "5")
            tar.add(".wh..wh.plnk/1.2", content: "x")
        },
        Attack("L4 raw device 0:0", .refused) { tar, _ in tar.add("x", type: "3") },
        Attack("L5 device numbers out of range", .refused) { tar, _ in
            tar.add(Array("x".utf8), type: "4", major: 4096, minor: 0)
        },
        Attack("L5 minor number out of range", .refused) { tar, _ in
            tar.add(Array("x".utf8), type: "3", major: 1, minor: 1 << 20)
        },
        Attack("L5 negative device number", .refused) { tar, _ in
            tar.add(Array("x".utf8), type: "3", major: -1, minor: 1)
        },
        Attack("L7 owner 2^32-1", .refused) { tar, _ in tar.add("x", uid: 0xffff_ffff) },
        Attack("L7 owner 2^32", .refused) { tar, _ in tar.add("x", uid: 1 << 32) },
        Attack("L7 negative owner", .refused) { tar, _ in tar.add("x", gid: -1) },
        Attack("L7 owner out of range by PAX", .refused) { tar, _ in
            tar.add("x", pax: [("uid", Array("4294967296".utf8))])
        },
        Attack("L7 owner that is no number", .refused) { tar, _ in tar.add("x", pax: [("gid", Array("-1".utf8))]) },
        Attack("L7 owner of 20 digits", .refused) { tar, _ in
            tar.add("x", pax: [("uid", Array("18446744073709551616".utf8))])
        },
        Attack("L7 time 2^63", .refused) { tar, _ in tar.add("x", pax: [("mtime", Array("9223372036854775807".utf8))])
        },
        Attack("L7 time NaN", .refused) { tar, _ in tar.add("x", pax: [("mtime", Array("NaN".utf8))]) },
        Attack("L7 time before 1970", .confined) { tar, _ in tar.add("x", pax: [("mtime", Array("-1.25".utf8))]) },
    ]

    static let formats: [Attack] = [
        Attack("L9 sparse file", .refused) { tar, _ in tar.add("x", type: "S") },
        Attack("L9 sparse file by PAX", .refused) { tar, _ in
            tar.add("x", pax: [("GNU.sparse.major", [0x31]), ("GNU.sparse.map", [0x30])])
        },
        Attack("L9 PAX header above 1 MiB", .refused) { tar, _ in
            tar.add("x", pax: [("comment", [UInt8](repeating: 0x61, count: 1 << 20))])
        },
        Attack("L9 PAX header of 1 GiB", .refused) { tar, _ in tar.add(Array("x".utf8), type: "x", size: 1 << 30) },
        Attack("L9 long name of 1 GiB", .refused) { tar, _ in tar.add(Array("x".utf8), type: "L", size: 1 << 30) },
        Attack("L9 global PAX header of 1 GiB", .refused) { tar, _ in tar.add(Array("x".utf8), type: "g", size: 1 << 30)
        },
        Attack("L9 PAX record with a wrong length", .refused) { tar, _ in
            tar.add(Array("x".utf8), type: "x", content: Array("99 a=b\n".utf8))
        },
        Attack("L9 PAX record without a value", .refused) { tar, _ in
            tar.add(Array("x".utf8), type: "x", content: Array("5 ab\n".utf8))
        },
        Attack("L9 PAX record of length 0", .refused) { tar, _ in
            tar.add(Array("x".utf8), type: "x", content: Array("0 a=b\n".utf8))
        },
        Attack("L10 wrong checksum", .refused) { tar, _ in tar.add(Array("x".utf8), breaksChecksum: true) },
        Attack("L10 size above 2^62", .refused) { tar, _ in tar.add(Array("x".utf8), size: Int.max) },
        Attack("L10 negative size", .refused) { tar, _ in tar.add(Array("x".utf8), size: -512) },
        Attack("L10 unknown type", .refused) { tar, _ in tar.add("x", type: "Z") },
    ]

    @Test(arguments: names + links + marks + formats)
    func `a hostile archive is refused or confined`(_ attack: Attack) throws {
        let scratch = try Scratch()
        var tar = TarBuilder()
        attack.build(&tar, scratch.canary)
        var failure: (any Error)?
        do { try unpack(tar.archive, in: scratch) } catch { failure = error }
        switch attack.outcome {
        case .refused: #expect(failure is ImageStoreError)
        case .confined: #expect(failure == nil)
        case .either: #expect(failure == nil || failure is ImageStoreError)
        }
        #expect(try scratch.isCanaryUntouched)
        let escaped = "/tmp/pwn-images-test"
        if FileManager.default.fileExists(atPath: escaped) {
            Issue.record("a file was written outside of the layer")
            try FileManager.default.removeItem(atPath: escaped)
        }
    }

    @Test func `an archive that is cut off anywhere, or goes on after its end, is refused`() throws {
        let scratch = try Scratch()
        let archive = TarBuilder.archive { tar in
            tar.add(
                "a/long/name/" + String(repeating: "x", count: 150), content: "content",
                pax: [("mtime", Array("1.5".utf8))])
            tar.add("b", type: "2", link: String(repeating: "y", count: 150))
        }
        try unpack(archive, in: scratch, name: "layer-whole")
        for length in stride(from: 0, through: archive.count - 1024, by: 97) {
            #expect(throws: ImageStoreError.self) {
                try unpack(Array(archive[..<length]), in: scratch, name: "layer-\(length)")
            }
        }
        #expect(throws: ImageStoreError.self) { try unpack(archive + archive, in: scratch, name: "layer-twice") }
        #expect(throws: ImageStoreError.self) {
            try unpack(archive.dropLast(1024) + [1], in: scratch, name: "layer-rubbish")
        }
        #expect(throws: ImageStoreError.self) { try unpack([], in: scratch, name: "layer-empty") }
        try unpack([UInt8](repeating: 0, count: 1024), in: scratch, name: "layer-nothing")
    }

    @Test func `devices and set-id bits are kept, foreign attributes are not`() throws {
        let scratch = try Scratch()
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try unpack(
            TarBuilder.archive { tar in
                tar.add("sda", type: "4", mode: 0o660, gid: 6, major: 8, minor: 0)
                tar.add("mem", type: "3", mode: 0o640, major: 1, minor: 1)
                tar.add("fifo", type: "6", mode: 0o600)
                tar.add("su", mode: 0o6755, uid: 1, gid: 2, content: "x")
                tar.add("sticky", type: "5", mode: 0o1777)
                tar.add(
                    "caps", mode: 0o755, content: "x",
                    pax: [
                        ("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.note", [0x31]),
                        ("SCHILY.xattr.trusted.overlay.redirect", Array("/../../canary".utf8)),
                        ("SCHILY.xattr.trusted.other", [0x31]),
                        ("SCHILY.xattr.user.overlay.opaque", [0x79]), ("SCHILY.xattr.security.selinux", [0x31]),
                        ("SCHILY.xattr.security.ima", [0x31]), ("SCHILY.xattr.system.posix_acl_access", [0x31]),
                    ])
                tar.add(
                    "opaque", type: "5",
                    pax: [
                        ("SCHILY.xattr.trusted.overlay.opaque", [0x79]), ("SCHILY.xattr.trusted.overlay.metacopy", []),
                    ])
            }, in: scratch)
        #expect(
            try tree("\(scratch.path)/layer") == [
                "caps 755 0:0 file x", "fifo 600 0:0 fifo", "mem 640 0:0 device 1:1", "opaque 755 0:0 dir",
                "sda 660 0:6 device 8:0",
                "sticky 1777 0:0 dir", "su 6755 1:2 file x",
            ])
        let layer = try scratch.directory("layer")
        let file = try layer.fd.open("caps", [.readOnly])
        #expect(
            try file.attributeNames().map { String(decoding: $0, as: UTF8.self) }.sorted() == [
                "security.capability", "user.note",
            ])
        #expect(try file.attribute("security.capability") == capability)
        #expect(try layer.fd.open("opaque", [.readOnly, .directory]).attributeNames().isEmpty)
    }

    @Test func `a malformed file capability is refused`() throws {
        let scratch = try Scratch()
        let archive = TarBuilder.archive {
            $0.add("caps", content: "x", pax: [("SCHILY.xattr.security.capability", [1, 2, 3])])
        }
        #expect(throws: ImageStoreError.self) { try unpack(archive, in: scratch) }
    }

    @Test func `large owners and fractions of seconds are kept exactly`() throws {
        let scratch = try Scratch()
        try unpack(
            TarBuilder.archive { tar in
                tar.add("big", uid: 1 << 31, gid: 0xffff_fffe)
                tar.add("pax", pax: [("uid", Array("3000000000".utf8)), ("mtime", Array("12.345678901234".utf8))])
            }, in: scratch)
        let layer = try scratch.directory("layer")
        let big = try layer.fd.status("big")
        #expect(big.uid == 1 << 31)
        #expect(big.gid == 0xffff_fffe)
        let pax = try layer.fd.status("pax")
        #expect(pax.uid == 3_000_000_000)
        #expect(pax.modifiedSeconds == 12)
        #expect(pax.modifiedNanoseconds == 345_678_901)
    }

    @Test func `inodes and bytes are limited while they come`() throws {
        let scratch = try Scratch()
        var limits = ImageLimits()
        limits.inodesMax = 1000
        let files = TarBuilder.archive { tar in for index in 0..<1001 { tar.add("f\(index)") } }
        let directories = TarBuilder.archive { tar in for index in 0..<501 { tar.add("d\(index)/x") } }
        let whiteouts = TarBuilder.archive { tar in for index in 0..<1001 { tar.add(".wh.f\(index)") } }
        for (index, archive) in [files, directories, whiteouts].enumerated() {
            #expect { try unpack(archive, in: scratch, name: "layer\(index)", limits: limits) } throws: {
                ($0 as? ImageStoreError)?.fault.code == .resourceExhausted
            }
        }
        limits.bytesMax = 100_000
        let large = TarBuilder.archive { $0.add("large", content: String(repeating: "x", count: 200_000)) }
        #expect { try unpack(large, in: scratch, name: "layer-large", limits: limits) } throws: {
            ($0 as? ImageStoreError)?.fault.code == .resourceExhausted
        }
    }

    /// What the gzip program makes of `bytes`.
    private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-1", "-c"]
        let (input, output) = (FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString), Pipe())
        try Data(bytes).write(to: input)
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = output
        try process.run()
        let out = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try FileManager.default.removeItem(at: input)
        return Array(out)
    }

    @Test func `a gzip bomb stops at the ratio`() throws {
        let scratch = try Scratch()
        var limits = ImageLimits()
        limits.ratioFreeBytes = 1 << 20
        let archive = TarBuilder.archive {
            $0.add(Array("zeros".utf8), content: [UInt8](repeating: 0, count: 30 << 20))
        }
        let blob = try gzip(archive)
        #expect { try unpack(archive, in: scratch, compression: .gzip, limits: limits, blob: blob) } throws: {
            ($0 as? ImageStoreError)?.fault.code == .resourceExhausted
        }
        let written =
            try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/layer/zeros")[.size] as? Int ?? 0
        #expect(written < blob.count * 100 + (1 << 20))
        try unpack(archive, in: scratch, name: "layer-allowed", compression: .gzip, blob: blob)
    }

    @Test(arguments: [1, 7, 100_000])
    func `gzip members in a row are one stream, in pieces of any size`(_ step: Int) throws {
        let scratch = try Scratch()
        let archive = TarBuilder.archive { $0.add("f", content: String(repeating: "some text ", count: 5000)) }
        let half = archive.count / 2
        let blob =
            try gzip(Array(archive[..<half])) + StoredGzip.compress([]) + StoredGzip.compress(Array(archive[half...]))
        try unpack(archive, in: scratch, compression: .gzip, step: step, blob: blob)
        #expect(try tree("\(scratch.path)/layer") == ["f 644 0:0 file 50000 bytes"])
    }

    @Test func `damaged gzip is refused: garbage behind, cut off, flipped bits, no gzip at all`() throws {
        let scratch = try Scratch()
        let archive = TarBuilder.archive { $0.add("f", content: String(repeating: "some text ", count: 500)) }
        let good = try gzip(archive)
        var blobs = [
            good + [1, 2, 3], good + [0], Array(good.dropLast()), Array(good.dropLast(9)), archive, [0x1f, 0x8b], [],
        ]
        for index in [0, 12, 40, good.count - 6, good.count - 2] {
            var flipped = good
            flipped[index] ^= 0x10
            blobs.append(flipped)
        }
        for (index, blob) in blobs.enumerated() {
            #expect(throws: ImageStoreError.self) {
                try unpack(archive, in: scratch, name: "layer\(index)", compression: .gzip, blob: blob)
            }
        }
        try unpack(archive, in: scratch, name: "layer-good", compression: .gzip, blob: good)
    }

    @Test func `random bytes and mutated archives never escape and never trap`() throws {
        let scratch = try Scratch()
        var seed = UInt64.random(in: 0..<(.max))
        print("seed \(seed)")
        func random() -> UInt64 {
            seed ^= seed << 13
            seed ^= seed >> 7
            seed ^= seed << 17
            return seed
        }
        let base = TarBuilder.archive { tar in
            tar.add("a/b", content: "text", pax: [("mtime", Array("1".utf8)), ("SCHILY.xattr.user.a", [1])])
            tar.add("l", type: "2", link: "../../canary")
            tar.add("l/x", content: "x")
            tar.add("h", type: "1", link: "a/b")
            tar.add("a/.wh.gone")
            tar.add(String(repeating: "n", count: 120), content: "x")
        }
        for round in 0..<300 {
            var archive = base
            for _ in 0..<(1 + random() % 4) {
                archive[Int(random() % UInt64(archive.count))] = UInt8(truncatingIfNeeded: random())
            }
            // A header whose sum is right again gets further.
            for start in stride(from: 0, to: archive.count - 511, by: 512)
            where round % 2 == 0 && archive[start + 257] == UInt8(ascii: "u") {
                for offset in 148..<156 { archive[start + offset] = 0x20 }
                let digits = String(archive[start..<(start + 512)].reduce(0) { $0 + Int($1) }, radix: 8)
                let field = Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0]
                for (offset, byte) in field.enumerated() { archive[start + 148 + offset] = byte }
            }
            do { try unpack(archive, in: scratch, name: "layer\(round)") } catch { #expect(error is ImageStoreError) }
        }
        #expect(try scratch.isCanaryUntouched)
    }
}
