import LaunchProtocol
import TestKit

/// Random values of everything that goes over the wire; together they cover every case.
struct RandomValues {
    var generator: SeededGenerator

    mutating func name() -> Bytes {
        let alphabet = Array("abcXYZ019-_.".utf8)
        var name = generator.bytes(countMax: 127, countMin: 0).map { alphabet[Int($0) % alphabet.count] }
        name.insert(0x61, at: 0)
        return name
    }

    mutating func text(_ countMax: Int = 40) -> Bytes { generator.bytes(countMax: countMax, in: 1...255) }
    mutating func texts() -> [Bytes] { (0..<Int.random(in: 0...5, using: &generator)).map { _ in text() } }
    mutating func number<T: FixedWidthInteger>(_: T.Type = T.self) -> T {
        generator.pick([T.min, T.max, 0, 1, T.random(in: T.min...T.max, using: &generator)])
    }
    mutating func bool() -> Bool { Bool.random(using: &generator) }
    mutating func optional<T>(_ value: T) -> T? { bool() ? value : nil }
    mutating func slot() -> DescriptorSlot? { optional(UInt8.random(in: 0...15, using: &generator)) }
    mutating func kind() -> LaunchPlan.Kind { generator.pick([.birth, .container, .exec, .podInit]) }
    mutating func options() -> [FilesystemOption] {
        (0..<Int.random(in: 0...4, using: &generator)).map { _ in FilesystemOption(key: text(), value: optional(text()))
        }
    }
    mutating func attributes() -> MountAttributes { MountAttributes(rawValue: number()) }

    mutating func requests() -> [Request] {
        [
            .snapshot, .launch(process: name(), container: bool() ? [] : name(), untilExit: bool()),
            .release(process: name(), go: bool()),
            .reopenLog(container: name()), .closeStdin(container: name()),
            .resizeTerminal(process: name(), rows: number(), columns: number()), .forget(process: name()),
            .makeSocket(ipv6: bool()), .shutdown,
            .attach(container: name(), input: bool(), output: bool(), error: bool()),
        ]
    }

    mutating func exitRecord() -> ExitRecord {
        ExitRecord(
            process: name(), kind: kind(), pid: number(), startedAtNanoseconds: number(),
            exitedAtNanoseconds: number(), exitCode: number(), oomKills: number())
    }

    mutating func replies() -> [Reply] {
        let state = ProcessState(
            process: name(), kind: kind(), phase: generator.pick([.launching, .held, .running, .exited]), pid: number(),
            startedAtNanoseconds: number(), exit: optional(exitRecord()), logLinesDropped: number())
        return [
            .hello(podID: name(), supervisorPID: number(), version: number()), .container(state), .snapshotEnd,
            .launched(process: name(), pid: number(), startedAtNanoseconds: number()),
            .held(
                process: name(), pid: number(),
                point: generator.pick([.afterNamespaces, .beforePivot, .beforeExecute])),
            .launchFailed(
                process: name(), stepIndex: number(), errno: number(), detail: generator.bytes(countMax: 1_024)),
            .refused(errno: number(), detail: generator.bytes(countMax: 1_024)), .done, .socket, .exited(exitRecord()),
            .attached(client: number()), .detached(client: number()),
        ]
    }

    mutating func steps() -> [Step] {
        [
            .setOOMScoreAdj(value: number(), clamp: bool()), .resetScheduling,
            .setResourceLimit(resource: number(), soft: number(), hard: number(), clamp: bool()),
            .makeOverlay(
                register: number(), directory: text(), lowers: texts(), upper: optional(text()),
                work: optional(text()), options: options(), attributes: attributes()),
            .cloneTree(
                register: number(), source: text(),
                expect: generator.pick([.any, .directory, .file, .directoryMadeIfMissing, .device]), recursive: bool(),
                attributes: attributes(), recursiveAttributes: bool(),
                propagation: generator.pick([.private, .slave, .shared])),
            .makeFilesystem(
                register: number(), type: text(), options: options(), attributes: attributes(),
                stage: generator.pick([.one, .two])),
            .enterMountNamespace(newCgroupNamespace: bool()), .attachRoot(register: number(), anchor: text()),
            .attach(
                register: number(), target: text(),
                create: generator.pick([.mustExist, .directory, .file, .likeSource])),
            .makeDirectory(target: text(), mode: number(), uid: number(), gid: number()),
            .makeSymlink(target: text(), text: text()),
            .makeDevice(
                target: text(), kind: generator.pick([.character, .block, .fifo]), major: number(), minor: number(),
                mode: number(), uid: number(), gid: number()),
            .mask(target: text()), .makeReadonly(target: text()), .makeRootReadonly,
            .setRootPropagation(generator.pick([.private, .slave, .shared])), .pivotRoot,
            .openTerminal(console: bool(), rows: number(), columns: number()), .joinContainer(flags: number()),
            .unshareNamespaces(flags: number()), .pinNamespace(name: text(), path: text()), .setHostname(text()),
            .bringLoopbackUp, .writeSysctl(path: text(), value: text()), .setUmask(number()), .newSessionKeyring,
            .setBoundingCapabilities(number()),
            .setUser(
                uid: number(), gid: number(),
                groups: (0..<Int.random(in: 0...9, using: &generator)).map { _ in number() }),
            .setCapabilities(effective: number(), permitted: number(), inheritable: number(), ambient: number()),
            .setNoNewPrivileges, .changeDirectory(text()),
            .installSeccompFilter(
                program: (0..<8 * Int.random(in: 1...20, using: &generator)).map { _ in number() }, flags: number()),
            .execute(arguments: [text()] + texts(), environment: texts(), searchPath: texts()), .executePodInit,
            .hold(generator.pick([.afterNamespaces, .beforePivot, .beforeExecute])),
        ]
    }

    mutating func limits() -> LogLimits { LogLimits(bytesPerSecond: number(), fileBytesMax: number()) }

    mutating func plans() -> [LaunchPlan] {
        let namespaces: [LaunchPlan.PIDNamespace] = [.host, .new, .podInit, .container(name())]
        let streams: [LaunchPlan.Streams] = [
            .null, .logged(log: slot(), stdin: bool()), .loggedTerminal(log: slot()),
            .passed(stdin: slot(), stdout: slot(), stderr: slot()), .passedTerminal,
            .logged(log: slot(), stdin: bool(), limits: limits()), .loggedTerminal(log: slot(), limits: limits()),
        ]
        return streams.map { streams in
            LaunchPlan(
                kind: kind(), pidNamespace: generator.pick(namespaces), streams: streams,
                deadlineMilliseconds: number(),
                steps: steps().shuffled(using: &generator))
        }
    }

    mutating func birthFailure() -> BirthFailure {
        BirthFailure(stepIndex: number(), errno: number(), detail: generator.bytes(countMax: 1_024))
    }
}
