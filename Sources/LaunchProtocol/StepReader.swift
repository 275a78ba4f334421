extension Step {
    init(_ number: Number, _ reader: inout WireReader) throws(WireError) {
        switch number {
        case .setOOMScoreAdj: self = .setOOMScoreAdj(value: try reader.i32(), clamp: try reader.bool())
        case .resetScheduling: self = .resetScheduling
        case .setResourceLimit:
            self = .setResourceLimit(
                resource: try reader.u32(), soft: try reader.u64(), hard: try reader.u64(), clamp: try reader.bool())
        case .makeOverlay:
            self = .makeOverlay(
                register: try reader.u16(), directory: try reader.text(),
                lowers: try reader.texts(countMax: WireLimits.lowersMax), upper: try reader.optionalText(),
                work: try reader.optionalText(), options: try reader.options(), attributes: try reader.attributes())
        case .cloneTree:
            self = .cloneTree(
                register: try reader.u16(), source: try reader.text(), expect: try reader.choice(SourceKind.self),
                recursive: try reader.bool(), attributes: try reader.attributes(),
                recursiveAttributes: try reader.bool(), propagation: try reader.choice(ClonePropagation.self))
        case .makeFilesystem:
            self = .makeFilesystem(
                register: try reader.u16(), type: try reader.text(bytesMax: WireLimits.optionBytes),
                options: try reader.options(), attributes: try reader.attributes(),
                stage: try reader.choice(Stage.self))
        case .enterMountNamespace: self = .enterMountNamespace(newCgroupNamespace: try reader.bool())
        case .attachRoot: self = .attachRoot(register: try reader.u16(), anchor: try reader.text())
        case .attach:
            self = .attach(
                register: try reader.u16(), target: try reader.text(), create: try reader.choice(TargetKind.self))
        case .makeDirectory:
            self = .makeDirectory(
                target: try reader.text(), mode: try reader.u32(), uid: try reader.u32(), gid: try reader.u32())
        case .makeSymlink: self = .makeSymlink(target: try reader.text(), text: try reader.text())
        case .makeDevice:
            self = .makeDevice(
                target: try reader.text(), kind: try reader.choice(DeviceKind.self), major: try reader.u32(),
                minor: try reader.u32(), mode: try reader.u32(), uid: try reader.u32(), gid: try reader.u32())
        case .mask: self = .mask(target: try reader.text())
        case .makeReadonly: self = .makeReadonly(target: try reader.text())
        case .makeRootReadonly: self = .makeRootReadonly
        case .setRootPropagation: self = .setRootPropagation(try reader.choice(RootPropagation.self))
        case .pivotRoot: self = .pivotRoot
        case .openTerminal:
            self = .openTerminal(console: try reader.bool(), rows: try reader.u16(), columns: try reader.u16())
        case .joinContainer: self = .joinContainer(flags: try reader.u64())
        case .unshareNamespaces: self = .unshareNamespaces(flags: try reader.u64())
        case .pinNamespace: self = .pinNamespace(name: try reader.text(), path: try reader.text())
        case .setHostname: self = .setHostname(try reader.text())
        case .bringLoopbackUp: self = .bringLoopbackUp
        case .writeSysctl: self = .writeSysctl(path: try reader.text(), value: try reader.text())
        case .setUmask: self = .setUmask(try reader.u32())
        case .newSessionKeyring: self = .newSessionKeyring
        case .setBoundingCapabilities: self = .setBoundingCapabilities(try reader.u64())
        case .setUser:
            self = .setUser(
                uid: try reader.u32(), gid: try reader.u32(),
                groups: try reader.list(countMax: WireLimits.groupsMax, elementBytesMin: 4) {
                    reader throws(WireError) in try reader.u32()
                })
        case .setCapabilities:
            self = .setCapabilities(
                effective: try reader.u64(), permitted: try reader.u64(), inheritable: try reader.u64(),
                ambient: try reader.u64())
        case .setNoNewPrivileges: self = .setNoNewPrivileges
        case .changeDirectory: self = .changeDirectory(try reader.text())
        case .installSeccompFilter:
            self = .installSeccompFilter(program: try reader.filter(), flags: try reader.u32())
        case .execute: self = try reader.execute()
        case .executePodInit: self = .executePodInit
        case .hold: self = .hold(try reader.choice(HoldPoint.self))
        }
    }
}

extension WireReader {
    fileprivate mutating func texts(countMax: Int) throws(WireError) -> [Bytes] {
        try list(countMax: countMax, elementBytesMin: 4) { reader throws(WireError) in try reader.text() }
    }

    fileprivate mutating func optionalText() throws(WireError) -> Bytes? {
        try optional { reader throws(WireError) in try reader.text() }
    }

    fileprivate mutating func options() throws(WireError) -> [FilesystemOption] {
        try list(countMax: WireLimits.optionsMax, elementBytesMin: 5) { reader throws(WireError) in
            FilesystemOption(
                key: try reader.text(bytesMax: WireLimits.optionBytes),
                value: try reader.optional { reader throws(WireError) in
                    try reader.text(bytesMax: WireLimits.optionBytes)
                })
        }
    }

    fileprivate mutating func attributes() throws(WireError) -> MountAttributes {
        MountAttributes(rawValue: try u64())
    }

    fileprivate mutating func filter() throws(WireError) -> Bytes {
        let program = try bytes(bytesMax: WireLimits.filterBytes)
        guard !program.isEmpty, program.count % 8 == 0 else { throw .badValue }
        return program
    }

    fileprivate mutating func execute() throws(WireError) -> Step {
        let arguments = try texts(countMax: WireLimits.argumentsMax)
        let environment = try texts(countMax: WireLimits.argumentsMax)
        let searchPath = try texts(countMax: WireLimits.argumentsMax)
        guard !arguments.isEmpty else { throw .badValue }
        guard Step.executeBytes(arguments, environment) <= WireLimits.executeBytes else { throw .tooLarge }
        return .execute(arguments: arguments, environment: environment, searchPath: searchPath)
    }
}
