// The daemon's way to name processes on disk: this file is not part of the launcher's Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    /// A process on disk: its number together with its start time, since a number alone may be another process's
    /// tomorrow.
    package struct ProcessIdentity: Sendable, Hashable, Codable {
        package var pid: Int32
        /// In clock ticks since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)).
        package var startTicks: UInt64

        package init(pid: Int32, startTicks: UInt64) {
            self.pid = pid
            self.startTicks = startTicks
        }

        /// Of the process that has the number now; nil when there is none.
        package init?(pid: Int32) throws(Errno) {
            let text: [UInt8]
            do throws(Errno) {
                text = try OwnedFD.open(Path("/proc/\(pid)/stat"), .readOnly).readToEnd(max: 4096)
            } catch {
                if error == .noEntry || error == .noProcess { return nil }
                throw error
            }
            guard let ticks = Self.startTicks(stat: text) else { throw .inputOutput }
            self.init(pid: pid, startTicks: ticks)
        }

        /// Field 2, the name, may hold anything, also spaces and parentheses: counting starts behind its last
        /// parenthesis.
        static func startTicks(stat: [UInt8]) -> UInt64? {
            guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
            return fields.count > 19 ? number(fields[19]) : nil
        }

        /// Kills the process group that this process leads; does nothing when the process is gone or is another one.
        ///
        /// Members of the group that outlived their leader are not found this way.
        package func killGroup() throws(Errno) {
            // The pidfd comes first: once it is open, a matching start time is this very process's.
            let pidfd: Pidfd
            do throws(Errno) {
                pidfd = try Pidfd.open(pid: pid)
            } catch {
                if error == .noProcess || error == .invalidArgument { return }
                throw error
            }
            guard try ProcessIdentity(pid: pid) == self, try !pidfd.hasEnded() else { return }
            try Self.killGroup(leader: pid)
        }

        /// For the starter of a process that has not been waited for, so that the number is still its own.
        static func killGroup(leader: Int32) throws(Errno) {
            do throws(Errno) {
                try check(cl_kill(-leader, SIGKILL))
            } catch {
                if error != .noProcess { throw error }
            }
        }
    }
#endif
