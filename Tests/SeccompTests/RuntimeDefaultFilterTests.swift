#if arch(x86_64)
    import CSeccomp
    import Glibc
    import OCI
    import Testing

    @testable import Seccomp

    /// RuntimeDefault's program, run by an interpreter: every call on every interface, arguments included.
    @Suite struct RuntimeDefaultFilterTests {
        let filter: SeccompFilter
        let interpreter: BPFInterpreter

        init() throws {
            filter = try SeccompCompiler().filter(
                for: SeccompProfile.runtimeDefault.resolved(capabilities: ["CAP_CHOWN"], kernel: KernelVersion(6, 1)))
            interpreter = BPFInterpreter(program: filter.program)
        }

        @Test("each name of the allow list is allowed on every interface that has it, and no other call is")
        func allowList() throws {
            let conditional: Set<String> = ["socket", "personality", "clone", "clone3"]
            let allowed = Set(DefaultSyscalls.allowed).union([
                "ptrace", "process_vm_readv", "process_vm_writev", "arch_prctl", "modify_ldt",
            ])
            var checked = 0
            for (architecture, audit, base) in [
                (SeccompArchitecture.x86_64, BPFInterpreter.x86_64, UInt32(0)),
                (SeccompArchitecture.x86, BPFInterpreter.i386, 0),
                (SeccompArchitecture.x32, BPFInterpreter.x86_64, BPFInterpreter.x32Bit),
            ] {
                for number in UInt32(0)..<(architecture == .x32 ? 548 : 450) where number < 450 || number >= 512 {
                    guard let name = Self.name(Int32(base | number), architecture.libraryToken),
                        !conditional.contains(name)
                    else { continue }
                    let expected: BPFInterpreter.Answer = allowed.contains(name) ? .allow : .errno(1)
                    #expect(
                        interpreter.answer(number: base | number, architecture: audit) == expected,
                        "\(name) on \(audit)")
                    checked += 1
                }
            }
            #expect(checked > 1000)
        }

        @Test("the allow list has the size of containerd's, each name once")
        func size() {
            #expect(DefaultSyscalls.allowed.count == 363)
            #expect(Set(DefaultSyscalls.allowed).count == 363)
            #expect(
                DefaultSyscalls.allowed.allSatisfy {
                    !$0.isEmpty && $0.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }
                })
        }

        @Test("sockets of all families but AF_ALG and AF_VSOCK", arguments: UInt64(0)...46)
        func sockets(family: UInt64) {
            let expected: BPFInterpreter.Answer = family == 38 || family == 40 ? .errno(1) : .allow
            #expect(
                interpreter.answer(number: 41, architecture: BPFInterpreter.x86_64, arguments: [family]) == expected)
        }

        @Test(
            "personality",
            arguments: [
                (0, true), (8, true), (0x20000, true), (0x20008, true), (0xffff_ffff, true), (1, false),
                (0x40000, false),
            ])
        func personality(value: UInt64, isAllowed: Bool) {
            #expect(
                interpreter.answer(number: 135, architecture: BPFInterpreter.x86_64, arguments: [value])
                    == (isAllowed ? .allow : .errno(1)))
        }

        @Test(
            "clone makes processes and threads, and no namespace",
            arguments: [
                (0x11, true), (0x3d0f00, true), (0x0002_0000, false), (0x0200_0000, false), (0x0400_0000, false),
                (0x0800_0000, false),
                (0x1000_0000, false), (0x2000_0000, false), (0x4000_0000, false), (0x4000_0011, false),
            ])
        func clone(flags: UInt64, isAllowed: Bool) {
            #expect(
                interpreter.answer(number: 56, architecture: BPFInterpreter.x86_64, arguments: [flags])
                    == (isAllowed ? .allow : .errno(1)))
            #expect(interpreter.answer(number: 435, architecture: BPFInterpreter.x86_64) == .errno(38))
        }

        @Test(
            "calls that are newer than the profile do not exist, on any interface",
            arguments: [
                (0, BPFInterpreter.x86_64), (0, BPFInterpreter.i386), (BPFInterpreter.x32Bit, BPFInterpreter.x86_64),
            ] as [(UInt32, UInt32)])
        func newer(base: UInt32, architecture: UInt32) {
            for number in [467, 468, 470, 500, 600, 0x3fff_ffff] as [UInt32] {
                #expect(interpreter.answer(number: base | number, architecture: architecture) == .errno(38))
            }
            // map_shadow_stack (453) is of x86_64 and i386 only.
            for number in 451...466 as ClosedRange<UInt32> where base == 0 || number != 453 {
                #expect(interpreter.answer(number: base | number, architecture: architecture) == .allow)
            }
            // Named by no rule, and old: keyctl on x86_64 is 250.
            #expect(interpreter.answer(number: 250, architecture: BPFInterpreter.x86_64) == .errno(1))
        }

        @Test("another architecture is killed")
        func foreign() {
            #expect(interpreter.answer(number: 39, architecture: 0xc000_00b7) == .killThread)
        }

        private static func name(_ number: Int32, _ architecture: UInt32) -> String? {
            guard let text = seccomp_syscall_resolve_num_arch(architecture, number) else { return nil }
            defer { free(text) }
            return String(cString: text)
        }
    }
#endif
