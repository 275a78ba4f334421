import LaunchProtocol
import Linux

extension StepRunner {
    mutating func setOOMScoreAdj(_ value: Int32, clamp: Bool) throws(Errno) {
        let file: Path = "self/oom_score_adj"
        detail = file.bytes
        do throws(Errno) {
            try proc.write(file, signed(value))
        } catch {
            guard clamp, error == .permissionDenied else { throw error }
            // Without CAP_SYS_RESOURCE there is a least value, which the kernel does not show: it is searched for between the
            // one refused and the one in force.
            var refused = value
            var allowed: Int32 = try currentOOMScoreAdj()
            while allowed > refused + 1 {
                let middle = refused + (allowed - refused) / 2
                do throws(Errno) {
                    try proc.write(file, signed(middle))
                    allowed = middle
                } catch {
                    guard error == .permissionDenied else { throw error }
                    refused = middle
                }
            }
        }
    }

    private func currentOOMScoreAdj() throws(Errno) -> Int32 {
        var value: Int32 = 0
        var sign: Int32 = 1
        for byte in try proc.read("self/oom_score_adj", max: 16) {
            if byte == UInt8(ascii: "-") { sign = -1 }
            if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), value < 10_000 {
                value = value * 10 + Int32(byte - UInt8(ascii: "0"))
            }
        }
        return sign * value
    }

    private func signed(_ value: Int32) -> Bytes {
        (value < 0 ? [UInt8(ascii: "-")] : []) + decimal(UInt64(value.magnitude))
    }

    mutating func setResourceLimit(_ resource: UInt32, _ limit: ResourceLimit, clamp: Bool) throws(Errno) {
        let inherited = limits[resource]
        if inherited == limit { return }
        limits.forget(resource)
        do throws(Errno) {
            try limit.apply(to: resource)
        } catch {
            guard clamp, error == .notPermitted else { throw error }
            let current: ResourceLimit
            if let inherited { current = inherited } else { current = try ResourceLimit.current(resource) }
            let hard = min(limit.hard, current.hard)
            let clamped = ResourceLimit(soft: min(limit.soft, hard), hard: hard)
            if clamped != current { try clamped.apply(to: resource) }
        }
    }

    func newSessionKeyring() throws(Errno) {
        do throws(Errno) { try CurrentProcess.newSessionKeyring() } catch  where error == .noSystemCall { return }
    }

    mutating func setUser(uid: UInt32, gid: UInt32, groups: [UInt32]) throws(Errno) {
        for stream: StandardStream in [.input, .output, .error] {
            do throws(Errno) {
                try stream.giveToUser(uid)
            } catch {
                // A pipe that cannot change hands still works; only opening it anew does not.
                guard error == .notPermitted || error == .readOnlyFilesystem || error == .invalidArgument else {
                    throw error
                }
            }
        }
        try Credentials.set(uid: uid, gid: gid, groups: groups)
        // fs.suid_dumpable decides that anew (proc_sys_fs(5)).
        isUndumpable = false
    }

    mutating func changeDirectory(_ path: Bytes) throws(Errno) {
        detail = path
        try WorkingDirectory.change(to: Path(path))
        // "(unreachable)": a directory outside of the root, by way of a descriptor (CVE-2024-21626).
        guard try WorkingDirectory.current().first == UInt8(ascii: "/") else { throw .crossDevice }
    }

    /// The new root's devpts decides what a terminal is: not a path that the image could have prepared (CVE-2025-52565).
    mutating func openTerminal(console: Bool, rows: UInt16, columns: UInt16) throws(Errno) {
        detail = Path("/dev/pts").bytes
        try requireRoot()
        let devpts = try root.resolve("/dev/pts")
        guard try devpts.filesystemMagic() == .devpts else { throw .crossDevice }
        let terminal = try Terminal(devpts: devpts)
        if rows > 0 && columns > 0 { try terminal.peer.setTerminalSize(rows: rows, columns: columns) }
        for stream: StandardStream in [.input, .output, .error] { try terminal.peer.becomeStandard(stream) }
        hasTerminal = true
        if !isBornLate { try StandardStream.input.becomeControllingTerminal() }
        if console {
            detail = Path("/dev/console").bytes
            let place = try root.resolve("/dev/console", making: .file(mode: 0o600))
            try MountHandle.clone(of: terminal.peer, recursive: false).attach(to: place)
        }
        _ = try report.lend { report throws(Errno) in
            try report.send(ChildReport.terminal.bytes, with: terminal.master)
        }
    }

    mutating func joinContainer(_ flags: NamespaceFlags) throws(Errno) {
        let joined: Void? = try joinTarget.lend { target throws(Errno) in try flags.join(target.fd) }
        guard joined != nil else { throw .noProcess }
        root = RootDirectory(try OwnedFD.open("/", [.path, .directory]))
        hasRoot = flags.contains(.mount)
    }

    /// Reports, and waits for the daemon's word; without it, or with the supervisor gone, the process ends here.
    func hold(at point: HoldPoint) throws(Errno) {
        if isQuiet { throw .notSupported }
        let answer = try report.lend { report throws(Errno) in
            try report.send(ChildReport.held(point).bytes)
            return try report.receive(max: 1)?.bytes ?? []
        }
        if answer != [1] { CurrentProcess.exit(1) }
    }
}
