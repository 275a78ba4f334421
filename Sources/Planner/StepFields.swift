import LaunchProtocol

/// A value of a step's field, for people and for JSON.
indirect enum StepValue {
    case number(Int64)
    /// Capability masks, limits and flags.
    case mask(UInt64)
    case flag(Bool)
    case word(String)
    case text(Bytes)
    case list([StepValue])
    case none
}

extension Step {
    /// The case's name.
    var name: String { String(describing: number) }

    /// The case's values, in the order of their declaration.
    var fields: [(String, StepValue)] {
        switch self {
        case .resetScheduling, .makeRootReadonly, .pivotRoot, .bringLoopbackUp, .newSessionKeyring, .setNoNewPrivileges,
            .executePodInit:
            return []
        case .setOOMScoreAdj(let value, let clamp): return [("value", .number(Int64(value))), ("clamp", .flag(clamp))]
        case .setResourceLimit(let resource, let soft, let hard, let clamp):
            return [
                ("resource", .number(Int64(resource))), ("soft", .limit(soft)), ("hard", .limit(hard)),
                ("clamp", .flag(clamp)),
            ]
        case .makeOverlay(let register, let directory, let lowers, let upper, let work, let options, let attributes):
            return [
                ("register", .number(Int64(register))), ("directory", .text(directory)),
                ("lowers", .list(lowers.map { .text($0) })),
                ("upper", .optional(upper)), ("work", .optional(work)), ("options", .options(options)),
                ("attributes", .attributes(attributes)),
            ]
        case .cloneTree(
            let register, let source, let expect, let recursive, let attributes, let recursively, let propagation):
            return [
                ("register", .number(Int64(register))), ("source", .text(source)), ("expect", .case(expect)),
                ("recursive", .flag(recursive)), ("attributes", .attributes(attributes)),
                ("recursiveAttributes", .flag(recursively)),
                ("propagation", .case(propagation)),
            ]
        case .makeFilesystem(let register, let type, let options, let attributes, let stage):
            return [
                ("register", .number(Int64(register))), ("type", .text(type)), ("options", .options(options)),
                ("attributes", .attributes(attributes)), ("stage", .number(Int64(stage.rawValue))),
            ]
        case .enterMountNamespace(let cgroup): return [("newCgroupNamespace", .flag(cgroup))]
        case .attachRoot(let register, let anchor):
            return [("register", .number(Int64(register))), ("anchor", .text(anchor))]
        case .attach(let register, let target, let create):
            return [("register", .number(Int64(register))), ("target", .text(target)), ("create", .case(create))]
        case .makeDirectory(let target, let mode, let uid, let gid):
            return [
                ("target", .text(target)), ("mode", .octal(mode)), ("uid", .number(Int64(uid))),
                ("gid", .number(Int64(gid))),
            ]
        case .makeSymlink(let target, let text): return [("target", .text(target)), ("text", .text(text))]
        case .makeDevice(let target, let kind, let major, let minor, let mode, let uid, let gid):
            return [
                ("target", .text(target)), ("kind", .case(kind)), ("major", .number(Int64(major))),
                ("minor", .number(Int64(minor))),
                ("mode", .octal(mode)), ("uid", .number(Int64(uid))), ("gid", .number(Int64(gid))),
            ]
        case .mask(let target), .makeReadonly(let target): return [("target", .text(target))]
        case .setRootPropagation(let propagation): return [("propagation", .case(propagation))]
        case .openTerminal(let console, let rows, let columns):
            return [("console", .flag(console)), ("rows", .number(Int64(rows))), ("columns", .number(Int64(columns)))]
        case .joinContainer(let flags), .unshareNamespaces(let flags): return [("flags", .mask(flags))]
        case .pinNamespace(let name, let path): return [("namespace", .text(name)), ("path", .text(path))]
        case .setHostname(let name): return [("name", .text(name))]
        case .writeSysctl(let path, let value): return [("path", .text(path)), ("value", .text(value))]
        case .setUmask(let mask): return [("mask", .octal(mask))]
        case .setBoundingCapabilities(let set): return [("set", .mask(set))]
        case .setUser(let uid, let gid, let groups):
            return [
                ("uid", .number(Int64(uid))), ("gid", .number(Int64(gid))),
                ("groups", .list(groups.map { .number(Int64($0)) })),
            ]
        case .setCapabilities(let effective, let permitted, let inheritable, let ambient):
            return [
                ("effective", .mask(effective)), ("permitted", .mask(permitted)), ("inheritable", .mask(inheritable)),
                ("ambient", .mask(ambient)),
            ]
        case .changeDirectory(let path): return [("path", .text(path))]
        case .installSeccompFilter(let program, let flags):
            return [("instructions", .number(Int64(program.count / 8))), ("flags", .mask(UInt64(flags)))]
        case .execute(let arguments, let environment, let searchPath):
            return [
                ("arguments", .list(arguments.map { .text($0) })),
                ("environment", .list(environment.map { .text($0) })),
                ("searchPath", .list(searchPath.map { .text($0) })),
            ]
        case .hold(let point): return [("point", .case(point))]
        }
    }
}

extension StepValue {
    static func optional(_ bytes: Bytes?) -> StepValue { bytes.map { .text($0) } ?? .none }
    static func octal(_ mode: UInt32) -> StepValue { .word("0" + String(mode, radix: 8)) }
    /// RLIM_INFINITY has a name.
    static func limit(_ value: UInt64) -> StepValue { value == .max ? .word("infinity") : .word(String(value)) }
    static func `case`<Value>(_ value: Value) -> StepValue { .word(String(describing: value)) }

    static func options(_ options: [FilesystemOption]) -> StepValue {
        .list(options.map { .text($0.key + ($0.value.map { [UInt8(ascii: "=")] + $0 } ?? [])) })
    }

    static func attributes(_ attributes: MountAttributes) -> StepValue {
        let names: [(MountAttributes, String)] = [
            (.readonly, "readonly"), (.nosuid, "nosuid"), (.nodev, "nodev"), (.noexec, "noexec"), (.noatime, "noatime"),
            (.strictatime, "strictatime"),
        ]
        return .list(names.filter { attributes.contains($0.0) }.map { .word($0.1) })
    }
}
