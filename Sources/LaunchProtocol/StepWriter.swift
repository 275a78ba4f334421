extension Step {
    func body(_ writer: inout WireWriter) {
        switch self {
        case .resetScheduling, .makeRootReadonly, .pivotRoot, .bringLoopbackUp, .newSessionKeyring,
            .setNoNewPrivileges, .executePodInit:
            break
        case .setOOMScoreAdj(let value, let clamp):
            writer.integer(value)
            writer.bool(clamp)
        case .setResourceLimit(let resource, let soft, let hard, let clamp):
            writer.integer(resource)
            writer.integer(soft)
            writer.integer(hard)
            writer.bool(clamp)
        case .makeOverlay(let register, let directory, let lowers, let upper, let work, let options, let attributes):
            writer.integer(register)
            writer.text(directory)
            writer.list(lowers, countMax: WireLimits.lowersMax) { writer, lower in writer.text(lower) }
            writer.optional(upper) { writer, upper in writer.text(upper) }
            writer.optional(work) { writer, work in writer.text(work) }
            writer.options(options)
            writer.integer(attributes.rawValue)
        case .cloneTree(
            let register, let source, let expect, let recursive, let attributes, let recursiveAttributes,
            let propagation):
            writer.integer(register)
            writer.text(source)
            writer.integer(expect.rawValue)
            writer.bool(recursive)
            writer.integer(attributes.rawValue)
            writer.bool(recursiveAttributes)
            writer.integer(propagation.rawValue)
        case .makeFilesystem(let register, let type, let options, let attributes, let stage):
            writer.integer(register)
            writer.text(type, bytesMax: WireLimits.optionBytes)
            writer.options(options)
            writer.integer(attributes.rawValue)
            writer.integer(stage.rawValue)
        case .enterMountNamespace(let newCgroupNamespace): writer.bool(newCgroupNamespace)
        case .attachRoot(let register, let anchor):
            writer.integer(register)
            writer.text(anchor)
        case .attach(let register, let target, let create):
            writer.integer(register)
            writer.text(target)
            writer.integer(create.rawValue)
        case .makeDirectory(let target, let mode, let uid, let gid):
            writer.text(target)
            writer.integer(mode)
            writer.integer(uid)
            writer.integer(gid)
        case .makeSymlink(let target, let text):
            writer.text(target)
            writer.text(text)
        case .makeDevice(let target, let kind, let major, let minor, let mode, let uid, let gid):
            writer.text(target)
            writer.integer(kind.rawValue)
            writer.integer(major)
            writer.integer(minor)
            writer.integer(mode)
            writer.integer(uid)
            writer.integer(gid)
        case .mask(let target), .makeReadonly(let target): writer.text(target)
        case .setRootPropagation(let propagation): writer.integer(propagation.rawValue)
        case .openTerminal(let console, let rows, let columns):
            writer.bool(console)
            writer.integer(rows)
            writer.integer(columns)
        case .joinContainer(let flags), .unshareNamespaces(let flags): writer.integer(flags)
        case .pinNamespace(let name, let path):
            writer.text(name)
            writer.text(path)
        case .setHostname(let name): writer.text(name)
        case .writeSysctl(let path, let value):
            writer.text(path)
            writer.text(value)
        case .setUmask(let mask): writer.integer(mask)
        case .setBoundingCapabilities(let mask): writer.integer(mask)
        case .setUser(let uid, let gid, let groups):
            writer.integer(uid)
            writer.integer(gid)
            writer.list(groups, countMax: WireLimits.groupsMax) { writer, group in writer.integer(group) }
        case .setCapabilities(let effective, let permitted, let inheritable, let ambient):
            writer.integer(effective)
            writer.integer(permitted)
            writer.integer(inheritable)
            writer.integer(ambient)
        case .changeDirectory(let path): writer.text(path)
        case .installSeccompFilter(let program, let flags):
            writer.filter(program)
            writer.integer(flags)
        case .execute(let arguments, let environment, let searchPath):
            if arguments.isEmpty || Step.executeBytes(arguments, environment) > WireLimits.executeBytes {
                writer.fail(arguments.isEmpty ? .badValue : .tooLarge)
            }
            for texts in [arguments, environment, searchPath] {
                writer.list(texts, countMax: WireLimits.argumentsMax) { writer, text in writer.text(text) }
            }
        case .hold(let point): writer.integer(point.rawValue)
        }
    }

    /// What the kernel counts against the limit of execve(2): each text, its NUL and the pointer to it.
    static func executeBytes(_ arguments: [Bytes], _ environment: [Bytes]) -> Int {
        var sum = 0
        for text in arguments { sum += text.count + 9 }
        for text in environment { sum += text.count + 9 }
        return sum
    }
}

extension WireWriter {
    fileprivate mutating func options(_ options: [FilesystemOption]) {
        list(options, countMax: WireLimits.optionsMax) { writer, option in
            writer.text(option.key, bytesMax: WireLimits.optionBytes)
            writer.optional(option.value) { writer, value in
                writer.text(value, bytesMax: WireLimits.optionBytes)
            }
        }
    }

    fileprivate mutating func filter(_ program: Bytes) {
        if program.isEmpty || program.count % 8 != 0 { fail(.badValue) }
        bytes(program, bytesMax: WireLimits.filterBytes)
    }
}
