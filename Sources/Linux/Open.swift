import CLinux

/// Flags of open(2); O_CLOEXEC is always added.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let readOnly = OpenFlags([])
    package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    package static let readWrite = OpenFlags(rawValue: O_RDWR)
    package static let append = OpenFlags(rawValue: O_APPEND)
    package static let create = OpenFlags(rawValue: O_CREAT)
    package static let directory = OpenFlags(rawValue: cl_o_directory)
    package static let exclusive = OpenFlags(rawValue: O_EXCL)
    package static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
    package static let noFollow = OpenFlags(rawValue: cl_o_nofollow)
    package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    /// A handle on the place only: nothing is opened, so a FIFO does not block and a device does nothing.
    package static let path = OpenFlags(rawValue: cl_o_path)
    package static let truncate = OpenFlags(rawValue: O_TRUNC)

    var kernel: Int32 { rawValue | O_CLOEXEC }
}

/// RESOLVE_* flags of openat2(2).
package struct ResolveFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let noCrossDevice = ResolveFlags(rawValue: UInt64(RESOLVE_NO_XDEV))
    package static let noMagicLinks = ResolveFlags(rawValue: UInt64(RESOLVE_NO_MAGICLINKS))
    package static let noSymlinks = ResolveFlags(rawValue: UInt64(RESOLVE_NO_SYMLINKS))
    package static let beneath = ResolveFlags(rawValue: UInt64(RESOLVE_BENEATH))
    package static let inRoot = ResolveFlags(rawValue: UInt64(RESOLVE_IN_ROOT))
}

extension OwnedFD {
    /// The corresponding C function is `open`.
    package static func open(_ path: Path, _ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> OwnedFD {
        let result = try path.call { unsafe cl_open(AT_FDCWD, $0.pointer, flags.kernel, mode) }
        return OwnedFD(taking: descriptor(result))
    }

    /// The corresponding C function is `openat`, with this directory.
    package func open(_ path: Path, _ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> OwnedFD {
        let result = try path.call { unsafe cl_open(raw, $0.pointer, flags.kernel, mode) }
        return OwnedFD(taking: descriptor(result))
    }

    /// The corresponding C function is `openat2`, with this directory. EAGAIN, the answer to a race with rename(2) or
    /// mount(2), is tried again at most 64 times.
    package func open(
        _ path: Path, _ flags: OpenFlags, mode: UInt32 = 0, resolve: ResolveFlags
    ) throws(Errno) -> OwnedFD {
        let bits = UInt64(UInt32(bitPattern: flags.kernel))
        var attempts = 64
        while true {
            do throws(Errno) {
                let result = try path.call {
                    unsafe cl_openat2(raw, $0.pointer, bits, UInt64(mode), resolve.rawValue)
                }
                return OwnedFD(taking: descriptor(result))
            } catch {
                attempts -= 1
                if error != .again || attempts == 0 { throw error }
            }
        }
    }

    /// Opens what this O_PATH descriptor stands for: through /proc/self/fd, so that nothing is resolved a second time.
    package func reopen(_ flags: OpenFlags) throws(Errno) -> OwnedFD {
        try OwnedFD.open(processPath, flags)
    }

    /// `/proc/self/fd/<number>`: valid in this process while the descriptor is open.
    package var processPath: Path { Path(OwnedFD.processDirectory + decimal(UInt64(UInt32(bitPattern: raw)))) }

    private static var processDirectory: [UInt8] { Path("/proc/self/fd/").bytes }
}

/// A number in decimal digits.
package func decimal(_ number: UInt64) -> [UInt8] {
    var digits: [UInt8] = []
    var rest = number
    repeat {
        digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
        rest /= 10
    } while rest > 0
    digits.reverse()
    return digits
}
