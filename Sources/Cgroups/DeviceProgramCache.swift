import Linux
import Synchronization

/// Programs that were loaded: most containers of a node have the same list, and loading costs a verifier run and a
/// compilation.
final class DeviceProgramCache: Sendable {
    private final class Loaded: Sendable {
        let program: BpfDeviceProgram
        init(_ program: consuming BpfDeviceProgram) { self.program = program }
    }

    /// Lists beyond this number are loaded anew each time; the kernel keeps an attached program by itself.
    private static let kept = 16
    private let programs = Mutex<[DeviceProgram: Loaded]>([:])

    /// Attaches the program to an open cgroup.
    func attach(_ program: DeviceProgram, to cgroup: borrowing CgroupDirectory) throws(CgroupError) {
        let loaded = try load(program)
        do throws(Errno) {
            try loaded.program.attach(to: cgroup.fd)
        } catch {
            throw .system(operation: "attach device program to cgroup", path: cgroup.path.description, errno: error)
        }
    }

    private func load(_ program: DeviceProgram) throws(CgroupError) -> Loaded {
        if let known = programs.withLock({ $0[program] }) { return known }
        let loaded: Loaded
        do throws(BpfRefusal) {
            loaded = Loaded(try BpfDeviceProgram(instructions: program.instructions.map(\.encoded)))
        } catch {
            throw .deviceProgramRefused(errno: error.errno, log: error.log)
        }
        programs.withLock { programs in
            if programs.count < Self.kept { programs[program] = loaded }
        }
        return loaded
    }
}
