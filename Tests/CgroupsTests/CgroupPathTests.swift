import Linux
import Model
import Testing

@testable import Cgroups

@Suite("cgroup paths and names")
struct CgroupPathTests {
    @Test(
        "a parent as the kubelet states it becomes a path below the root",
        arguments: [
            ("", "/swiftlet"),
            ("/kubepods/burstable/pod1", "/kubepods/burstable/pod1"),
            ("kubepods", "/kubepods"),
            ("//a///b/", "/a/b"),
            ("/kubepods.slice/kubepods-pod1.slice", "/kubepods.slice/kubepods-pod1.slice"),
            ("/..a/b..", "/..a/b.."),
        ])
    func accepted(text: String, path: String) throws {
        #expect(try CgroupPath(parent: text).description == path)
    }

    @Test(
        "a parent that would leave the root, name it, or hold bytes that are no name is refused",
        arguments: [
            "/", "///", "..", "/a/../b", "/a/.", "./a", "/a\0b", "/a\nb", "/a/\u{7f}",
            "/" + String(repeating: "x", count: 256),
            String(repeating: "/abcdefg", count: 400),
        ])
    func refused(text: String) throws {
        let error = #expect(throws: CgroupError.self) { try CgroupPath(parent: text) }
        #expect(error?.fault.code == .invalidArgument)
    }

    @Test("a container's cgroup ends with the prefix, its id and the suffix, below the pod's parent")
    func names() throws {
        let names = try CgroupNames(driver: .cgroupfs, prefix: "swiftlet-")
        let id = try #require(ContainerID(String(repeating: "ab", count: 32)))
        let pod = try #require(PodID(String(repeating: "0", count: 64)))
        #expect(try names.container(id, parent: "/kubepods/podx").description == "/kubepods/podx/swiftlet-\(id)")
        #expect(try names.sandbox(pod, parent: "").description == "/swiftlet/swiftlet-\(pod)")
        let scopes = try CgroupNames(driver: .cgroupfs, prefix: "crio-", suffix: ".scope")
        #expect(try scopes.container(id, parent: "/kubepods/podx").description == "/kubepods/podx/crio-\(id).scope")
        #expect(try scopes.sandbox(pod, parent: "").description == "/swiftlet/crio-\(pod).scope")
        for text in ["a/b", "..\n", "a b", String(repeating: "a", count: 65)] {
            #expect(throws: CgroupError.self) { try CgroupNames(driver: .cgroupfs, prefix: text) }
            #expect(throws: CgroupError.self) { try CgroupNames(driver: .cgroupfs, prefix: "", suffix: text) }
        }
    }

    @Test("a path knows what is inside it")
    func inside() throws {
        let pod = try CgroupPath(parent: "/kubepods/a")
        #expect(try pod.appending("b").isInside(pod))
        #expect(pod.isInside(pod))
        #expect(try !CgroupPath(parent: "/kubepods/ab").isInside(pod))
        #expect(pod.parent?.parent == .root)
        #expect(CgroupPath.root.parent == nil)
    }
}

@Suite("finding the cgroup2 mount")
struct MountPointTests {
    static let hybrid = """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """
    static let pure = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate\n"
    static let odd = """
        90 24 0:26 /kubepods /mnt/part rw - cgroup2 cgroup2 rw
        91 24 0:26 / /mnt/my\\040cgroup\\134s rw,nosuid - cgroup2 none rw
        """
    static let several = "90 24 0:26 / /mnt/other rw - cgroup2 none rw\n" + pure

    @Test(
        "it is found on hybrid and pure hosts, at unusual places, and only whole",
        arguments: [
            (hybrid, "/sys/fs/cgroup/unified"), (pure, "/sys/fs/cgroup"), (odd, "/mnt/my cgroup\\s"),
            (several, "/sys/fs/cgroup"),
        ])
    func found(text: String, place: String) throws {
        #expect(try Cgroups.mountPoint(among: MountInfo.parse(Array(text.utf8))) == place)
    }

    @Test(
        "a host without it is told so",
        arguments: ["", "garbage", "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"])
    func absent(text: String) {
        #expect(throws: CgroupError.noHierarchy) { try Cgroups.mountPoint(among: MountInfo.parse(Array(text.utf8))) }
    }
}

@Suite("the daemon's own cgroup")
struct OwnCgroupTests {
    @Test(
        "a process's cgroup is the line of hierarchy 0",
        arguments: [("9:pids:/x\n0::/a/b\n", "/a/b"), ("0::/\n", "/"), ("1:cpu:/\n", nil), ("", nil)]
            as [(String, String?)])
    func current(text: String, path: String?) {
        #expect(OwnCgroup.current(in: text) == path)
    }

    @Test(
        "its base is the configured cgroup, else where it was started, also when that was its own leaf",
        arguments: [
            ("", "/system.slice/swiftletd.service", "/system.slice/swiftletd.service"),
            ("", "/system.slice/swiftletd.service/daemon", "/system.slice/swiftletd.service"),
            ("", "/", "/swiftletd"), ("", "", "/swiftletd"), ("/mine", "/other", "/mine"),
            ("/mine", "/mine/daemon", "/mine"),
        ])
    func base(configured: String, current: String, base: String) throws {
        let own = try OwnCgroup(configured: configured, current: current)
        #expect(own.base.description == base)
        #expect(own.daemon.description == base + "/daemon")
        let pod = try #require(PodID(String(repeating: "a", count: 64)))
        #expect(try own.supervisor(pod).description == base + "/supervisors/\(pod)")
    }
}
