import LaunchProtocol
import Linux

extension StepRunner {
    /// Does everything that `execute` needs but execve(2) itself, because the seccomp filter that may come next can refuse any
    /// of it: memory is allocated, descriptors are closed, the program is looked up.
    mutating func sealProcess(before steps: ArraySlice<Step>) throws(Errno) {
        guard !isSealed else { return }
        for step in steps {
            if case .execute(let arguments, let environment, let searchPath) = step, program == nil {
                detail = arguments.first ?? []
                program = try PreparedProgram(arguments: arguments, environment: environment, searchPath: searchPath)
            }
        }
        // Handles on the node's files go now, before anybody in the container can see this process (R4, R5). Their owners in
        // this value never run: the process ends by execve(2) or _exit(2).
        var kept = DescriptorSet()
        _ = report.lend { kept.insert($0.fd) }
        _ = launcher.lend { kept.insert($0) }
        try kept.closeAllOthers()
        try DescriptorSet.closeAllOnExecute()
        program?.skipMissing()
        if mayShareMemory {
            // What execve(2) gives back. Nobody may look into the program's process before; see `MemorySharing`.
            try CurrentProcess.forbidDumping()
            isUndumpable = true
        }
        isSealed = true
    }

    mutating func execute(_ step: Step, name: Bytes) throws(Errno) {
        try sealProcess(before: [step])
        detail = name
        if isBornLate { try beBorn() }
        guard let failure = program.lend({ $0.execute() }) else { throw .invalidArgument }
        throw failure
    }

    /// Until now this process was outside of the PID namespace that its program is to run in. A sibling is born there, which is
    /// the container's in every respect already: root, user, capabilities, filter. Nothing more privileged is ever visible to
    /// the other members, not even to one with CAP_SYS_PTRACE (CVE-2016-9962).
    private mutating func beBorn() throws(Errno) {
        if !becomeSibling() {
            let pid = try ProcessClone.makeSibling()
            if pid > 0 {
                // write(2) rather than sendmsg(2): the filter is in force.
                _ = try report.lend { report throws(Errno) in try report.fd.write(ChildReport.member(pid: pid).bytes) }
                CurrentProcess.exit(0)
            }
        }
        do throws(Errno) {
            try CurrentProcess.startSession()
            if hasTerminal { try StandardStream.input.becomeControllingTerminal() }
        } catch {
            // A filter without setsid(2): the session is the outside process's, which is the container's own too.
            if hasTerminal { throw error }
        }
    }

    /// The same without a copy of the memory. False where that must not be, or where a filter knows no clone(2) of this kind.
    private func becomeSibling() -> Bool {
        guard isUndumpable else { return false }
        do throws(Errno) {
            let done: Void? = try report.lend { report throws(Errno) in
                try ProcessClone.becomeSibling(telling: report, kind: ChildReport.memberKind)
            }
            return done != nil
        } catch {
            return false
        }
    }

    mutating func executePodInit() throws(Errno) {
        try sealProcess(before: [])
        let executed: Void? = try launcher.lend { launcher throws(Errno) in
            try PreparedProgram.execute(launcher, arguments: PodInit.arguments)
        }
        if executed == nil { throw .badDescriptor }
    }

    mutating func pinNamespace(_ name: Bytes, path: Bytes) throws(Errno) {
        detail = path
        let mount = try MountHandle.clone(of: try proc.namespace(Path(name)), recursive: false)
        try mount.set(propagation: .private, recursive: false)
        let place = try OwnedFD.open(Path(path), [.path, .noFollow])
        try mount.attach(to: place)
        // Below a shared mount it has become shared by being attached: the pin would be copied into every container.
        try mount.set(propagation: .private, recursive: false)
    }

    mutating func writeSysctl(_ path: Bytes, _ value: Bytes) throws(Errno) {
        detail = path
        try proc.writeSysctl(Path(path), value)
    }
}
