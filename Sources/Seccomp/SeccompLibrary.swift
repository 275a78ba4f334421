import CSeccomp
import Glibc

/// One filter being built by libseccomp; the only place that calls it.
///
/// Each `unsafe` below hands libseccomp the context that this value owns from `init` to `deinit`, or a C string that
/// lives for the length of the call; libseccomp keeps neither.
@safe
struct SeccompLibrary: ~Copyable {
    struct Condition {
        var index: UInt32
        var how: SeccompOperator
        var value: UInt64
        var valueTwo: UInt64
    }

    private let context: scmp_filter_ctx

    private init(owning context: scmp_filter_ctx) { unsafe self.context = unsafe context }

    /// A filter with no rule yet.
    static func empty(
        defaultAction: SeccompAction, architectures: [SeccompArchitecture]
    ) throws(SeccompError) -> SeccompLibrary {
        guard let context = unsafe seccomp_init(defaultAction.kernelValue) else {
            throw .refused(operation: "initialise the filter", errno: ENOMEM)
        }
        let filter = unsafe SeccompLibrary(owning: context)
        try filter.prepare(architectures)
        return filter
    }

    private func prepare(_ architectures: [SeccompArchitecture]) throws(SeccompError) {
        for architecture in architectures {
            let result = unsafe seccomp_arch_add(context, architecture.libraryToken)
            guard result == 0 || result == -EEXIST else {
                throw .refused(operation: "add architecture \"\(architecture.rawValue)\"", errno: -result)
            }
        }
        // A binary tree of numbers in place of a list: kernels without the cache of allowed calls (before 5.11) walk
        // it each time.
        let result = unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        guard result == 0 else { throw .refused(operation: "choose the binary tree", errno: -result) }
    }

    deinit { unsafe seccomp_release(context) }

    /// The call's number here, negative where only another interface of this machine has it; nil where libseccomp
    /// knows no such name.
    func number(of name: String) -> Int32? {
        let number = unsafe seccomp_syscall_resolve_name(name)
        return number == __NR_SCMP_ERROR ? nil : number
    }

    /// Adds a rule for a call on every interface of the filter that has it.
    func add(_ name: String, _ number: Int32, _ action: SeccompAction, _ conditions: [Condition]) throws(SeccompError) {
        let compared = conditions.map {
            scmp_arg_cmp(arg: $0.index, op: $0.how.libraryValue, datum_a: $0.value, datum_b: $0.valueTwo)
        }
        let result = unsafe seccomp_rule_add_array(
            context, action.kernelValue, number, UInt32(compared.count), compared)
        // EEXIST: another rule of the profile says the same.
        guard result == 0 || result == -EEXIST else {
            throw .refused(operation: "add a rule for \"\(name)\"", errno: -result)
        }
    }

    /// The highest number that any of the names has in one interface, but never one of an old call.
    func highestNumber(of names: [String], in architecture: SeccompArchitecture) -> UInt32 {
        let x32Bit: Int32 = 0x4000_0000
        var highest = UnknownSyscalls.lastOldNumber
        for name in names {
            let resolved = unsafe seccomp_syscall_resolve_name_arch(architecture.libraryToken, name)
            guard resolved >= 0, let number = UInt32(exactly: resolved & ~x32Bit) else { continue }
            if architecture == .x32 && number >= 512 { continue }
            highest = max(highest, number)
        }
        return highest
    }

    /// The filter as classic BPF.
    func program() throws(SeccompError) -> [UInt8] {
        let file = unsafe swiftlet_memory_file("seccomp")
        guard file >= 0 else { throw .refused(operation: "make a memory file", errno: errno) }
        defer { close(file) }
        let result = unsafe seccomp_export_bpf(context, file)
        guard result == 0 else { throw .refused(operation: "export the filter", errno: -result) }
        let length = lseek(file, 0, SEEK_END)
        guard length > 0, length % 8 == 0, length <= 1 << 20 else {
            throw .refused(operation: "measure the filter", errno: EINVAL)
        }
        var bytes = [UInt8](repeating: 0, count: length)
        let got = unsafe bytes.withUnsafeMutableBytes { unsafe pread(file, $0.baseAddress, $0.count, 0) }
        guard got == length else { throw .refused(operation: "read the filter", errno: EIO) }
        return bytes
    }
}
