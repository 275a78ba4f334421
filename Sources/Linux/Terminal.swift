import CLinux

/// A new pseudo-terminal (pty(7)): the program gets `peer`, whoever serves it `master`.
package struct Terminal: ~Copyable {
    package let master: OwnedFD
    package let peer: OwnedFD

    /// Opens `ptmx` of a devpts file system and finds the other end without a path (CVE-2025-52565).
    /// - Parameter devpts: the root of a devpts, checked to be one (EXDEV).
    package init(devpts: borrowing OwnedFD) throws(Errno) {
        let opened = try devpts.open(
            "ptmx", [.readWrite, .noControllingTerminal], resolve: [.beneath, .noSymlinks, .noCrossDevice])
        guard try opened.filesystemMagic() == .devpts else { throw .crossDevice }
        try check(cl_pty_unlock(opened.raw))
        let other = OwnedFD(taking: descriptor(try check(cl_pty_peer(opened.raw))))
        master = opened
        peer = other
    }
}

extension OwnedFD {
    /// TIOCSWINSZ; the foreground process group hears SIGWINCH.
    package func setTerminalSize(rows: UInt16, columns: UInt16) throws(Errno) {
        try check(cl_tty_set_size(raw, rows, columns))
    }

    /// TIOCGWINSZ
    package func terminalSize() throws(Errno) -> TerminalSize {
        var size = TerminalSize(rows: 0, columns: 0)
        // Both places outlive the call.
        try check(unsafe cl_tty_size(raw, &size.rows, &size.columns))
        return size
    }
}

/// Size of a terminal in characters.
package struct TerminalSize: Sendable, Equatable {
    package var rows: UInt16
    package var columns: UInt16
}

extension StandardStream {
    /// TIOCSCTTY: the terminal behind this descriptor becomes the session's. Only the leader of a session may.
    package func becomeControllingTerminal() throws(Errno) { try check(cl_tty_control(rawValue)) }

    /// fchown(2) of what this descriptor stands for, if it is a pipe or a pseudo-terminal: so that a program that is not root
    /// can open /dev/stdout. Files and devices of the node keep their owner.
    package func giveToUser(_ uid: UInt32) throws(Errno) {
        var status = cl_status()
        let empty: Path = ""
        try empty.call { unsafe cl_status(rawValue, $0.pointer, &status) }
        let found = FileStatus(status)
        // Major numbers 136 to 143 are pseudo-terminals (devices.txt of the kernel).
        let isTerminal = found.kind == .characterDevice && found.major >= 136 && found.major <= 143
        guard found.kind == .fifo || isTerminal, found.uid != uid else { return }
        try empty.call { unsafe cl_fchownat(rawValue, $0.pointer, uid, found.gid) }
    }
}
