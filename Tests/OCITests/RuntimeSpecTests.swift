import Foundation
import OCI
import TestKit
import Testing

/// The runtime-spec's `config.json`, both ways.
@Suite struct RuntimeSpecTests {
    /// One of everything, in the spelling of the specification.
    static let everything = """
        {"ociVersion": "1.2.1",
         "process": {"terminal": true, "consoleSize": {"height": 25, "width": 80},
          "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [5, 6]}, "args": ["sh"], "env": ["A=b", "C"], "cwd": "/",
          "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "inheritable": ["CAP_KILL"],
           "permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]},
          "rlimits": [{"type": "RLIMIT_CORE", "hard": 18446744073709551615, "soft": 0}], "noNewPrivileges": true,
          "apparmorProfile": "a", "oomScoreAdj": -100, "scheduler": {"policy": "SCHED_IDLE", "nice": 1}, "selinuxLabel": "s",
          "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4}, "execCPUAffinity": {"initial": "0-1"}},
         "root": {"path": "rootfs", "readonly": true}, "hostname": "h", "domainname": "d",
         "mounts": [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["ro"],
          "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}]}],
         "hooks": {"prestart": [{"path": "/p", "args": ["a"], "env": ["X=1"], "timeout": 3}], "createRuntime": [{"path": "/cr"}],
          "createContainer": [{"path": "/cc"}], "startContainer": [{"path": "/sc"}], "poststart": [{"path": "/ps"}],
          "poststop": [{"path": "/pp"}]},
         "annotations": {"k": "v"},
         "linux": {"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
          "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}], "sysctl": {"net.core.somaxconn": "1"},
          "resources": {"devices": [{"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}],
           "memory": {"limit": 1, "reservation": 2, "swap": -1, "swappiness": 0, "disableOOMKiller": false},
           "cpu": {"shares": 1024, "quota": -1, "burst": 5, "period": 100000, "cpus": "0", "mems": "0", "idle": 1},
           "pids": {"limit": 5}, "hugepageLimits": [{"pageSize": "2MB", "limit": 0}], "unified": {"memory.high": "1"},
           "blockIO": {}, "network": {}, "rdma": {"x": {}}},
          "cgroupsPath": "/c", "namespaces": [{"type": "pid"}, {"type": "network", "path": "/n"}, {"type": "time"}],
          "devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}],
          "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86"],
           "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/l", "listenerMetadata": "m",
           "syscalls": [{"names": ["open"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1,
            "args": [{"index": 0, "value": 18446744073709551615, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}]},
          "rootfsPropagation": "rslave", "maskedPaths": ["/m"], "readonlyPaths": ["/r"], "mountLabel": "l", "intelRdt": {},
          "memoryPolicy": {}, "personality": {"domain": "LINUX32"}, "timeOffsets": {"boottime": {"secs": 1, "nanosecs": 2}},
          "netDevices": {"eth0": {"name": "e"}}}}
        """

    static func decode(_ text: String) throws -> RuntimeSpec {
        try RuntimeJSON.decode(RuntimeSpec.self, from: Array(text.utf8), what: "config.json")
    }

    @Test("every member is read and written under the specification's name")
    func roundTrip() throws {
        let spec = try Self.decode(Self.everything)
        let written = try RuntimeJSON.encode(spec, what: "config.json")
        let given = try JSONSerialization.jsonObject(with: Data(Self.everything.utf8)) as? NSDictionary
        let back = try JSONSerialization.jsonObject(with: Data(written)) as? NSDictionary
        #expect(given != nil && given == back, "\(String(decoding: written, as: UTF8.self))")
        #expect(try RuntimeJSON.decode(RuntimeSpec.self, from: written, what: "config.json") == spec)
    }

    @Test("absent and null members are empty, and empty members are not written")
    func empties() throws {
        let spec = try Self.decode(
            #"{"ociVersion": "1.0.0", "mounts": null, "hostname": null, "annotations": null, "linux": {}}"#)
        #expect(spec.mounts == [] && spec.hostname == "" && spec.annotations == [:] && spec.process == nil)
        let written = String(decoding: try RuntimeJSON.encode(spec, what: "config.json"), as: UTF8.self)
        #expect(written == #"{"linux":{},"ociVersion":"1.0.0"}"#)
    }

    @Test("members that the specification does not know are ignored, as it demands")
    func unknownMembers() throws {
        #expect(
            try Self.decode(#"{"ociVersion": "1.0.0", "vm": {}, "later": [1]}"#) == RuntimeSpec(ociVersion: "1.0.0"))
    }

    @Test("an environment keeps its bytes, in JSON as a string where that holds them")
    func environmentBytes() throws {
        var process = RuntimeProcess()
        process.env = [RuntimeText([0x41, 0x3d, 0xff]), "B=\u{20ac}"]
        let written = try RuntimeJSON.encode(process, what: "process")
        let text = String(decoding: written, as: UTF8.self)
        #expect(text.contains("[65,61,255]") && text.contains("\"B=\u{20ac}\""))
        #expect(try RuntimeJSON.decode(RuntimeProcess.self, from: written, what: "process") == process)
    }

    @Test(
        "a document that is none is refused with a reason",
        arguments: [
            ("", "not JSON"), ("[]", "wrong type"), ("{}", "ociVersion"),
            (#"{"ociVersion": "1", "ociVersion": "2"}"#, "twice"),
            (#"{"ociVersion": "1", "process": {}}"#, "process"),
            (#"{"ociVersion": "1", "linux": {"namespaces": [{"type": "x"}]}}"#, "type"),
            (#"{"ociVersion": "1", "mounts": [{"type": "x"}]}"#, "destination"),
            (#"{"ociVersion": "1"} x"#, "after its end"),
            (#"{"ociVersion": "1", "process": {"user": {"uid": 4294967296, "gid": 0}, "cwd": "/"}}"#, "not valid"),
            (#"{"ociVersion": "1", "process": {"user": {"uid": -1, "gid": 0}, "cwd": "/"}}"#, "not valid"),
        ])
    func refused(text: String, says: String) {
        let error = #expect(throws: RuntimeFormatError.self) { try Self.decode(text) }
        #expect("\(error.map(String.init(describing:)) ?? "")".contains(says), "\(String(describing: error))")
    }

    @Test("a document above its limit is refused before it is read")
    func tooLarge() {
        #expect(throws: RuntimeFormatError.tooLarge(what: "x", bytesMax: 3)) {
            try RuntimeJSON.decode([Int].self, from: Array("[1,2]".utf8), what: "x", bytesMax: 3)
        }
    }

    @Test("random bytes are refused or read, never more")
    func randomBytes() {
        var generator = SeededGenerator.announced("config.json")
        let sound = Array(Self.everything.utf8)
        for _ in 0..<300 {
            var bytes = sound
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            do {
                let spec = try RuntimeJSON.decode(RuntimeSpec.self, from: bytes, what: "config.json")
                #expect(!spec.ociVersion.utf8.isEmpty || spec.ociVersion.isEmpty)
            } catch {
                #expect(!"\(error)".isEmpty)
            }
        }
    }
}
