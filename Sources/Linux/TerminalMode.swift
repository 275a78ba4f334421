// The launcher reads no keyboard: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    /// How a terminal treats what is typed and what is shown (termios(3)).
    package struct TerminalMode: Sendable {
        private var attributes = termios()

        /// The mode of the terminal behind a descriptor; ENOTTY where there is none.
        package init(of stream: StandardStream) throws(Errno) {
            // The place outlives the call.
            try check(unsafe cl_tty_mode(stream.rawValue, &attributes))
        }

        /// This mode without line editing, echo, signals of keys and changes to the output: cfmakeraw(3).
        package var raw: TerminalMode {
            var mode = self
            unsafe cl_tty_make_raw(&mode.attributes)
            return mode
        }

        /// This mode without echo, except of the line's end. No key stops the program (VSUSP): it would leave the terminal so.
        package var hidden: TerminalMode {
            var mode = self
            mode.attributes.c_lflag &= ~tcflag_t(ECHO)
            mode.attributes.c_lflag |= tcflag_t(ECHONL | ICANON | ISIG)
            // c_cc[VSUSP]; 0 is _POSIX_VDISABLE.
            mode.attributes.c_cc.10 = 0
            return mode
        }

        /// Puts the terminal into this mode at once; what was typed already stays.
        package func apply(to stream: StandardStream) throws(Errno) {
            var attributes = attributes
            // The place outlives the call, which only reads it.
            try check(unsafe cl_tty_set_mode(stream.rawValue, &attributes))
        }
    }

    extension StandardStream {
        /// Whether there is a terminal behind it.
        package var isTerminal: Bool {
            do throws(Errno) {
                _ = try TerminalMode(of: self)
                return true
            } catch {
                return false
            }
        }

        /// TIOCGWINSZ
        package func terminalSize() throws(Errno) -> TerminalSize {
            try lent { fd throws(Errno) in try fd.terminalSize() }
        }

        /// Waits until there is something to read here, or `other` becomes readable: false for the latter.
        package func waitReadable(unless other: borrowing OwnedFD) throws(Errno) -> Bool {
            let result = try retrying { other.withRaw { cl_poll_two(rawValue, $0) } }
            return result & 2 == 0
        }

        /// At most `max` bytes of one read(2); none is the end.
        package func read(max: Int) throws(Errno) -> [UInt8] {
            try lent { fd throws(Errno) in try fd.read(max: max) }
        }

        /// The descriptor, which the process was started with and which is not ours to close, for one use.
        private func lent<Result>(_ body: (borrowing OwnedFD) throws(Errno) -> Result) throws(Errno) -> Result {
            let fd = OwnedFD(taking: rawValue)
            do throws(Errno) {
                let result = try body(fd)
                _ = fd.take()
                return result
            } catch {
                _ = fd.take()
                throw error
            }
        }
    }
#endif
