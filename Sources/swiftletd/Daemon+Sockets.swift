import Linux
import Model

extension Daemon {
    /// Makes the directory that a socket is to be in.
    ///
    /// Usually that is the daemon's own state directory, which only root may enter. The group that may connect passes
    /// through it to the socket, and can neither list it nor enter what else is there.
    func makeDirectory(of socket: String) throws(Fault) {
        let directory = String(socket.prefix(upTo: socket.lastIndex(of: "/") ?? socket.endIndex))
        try Adapters.step("make directory of", socket) { () throws(Errno) in
            let made = try OwnedFD.makeDirectories(directory.isEmpty ? "/" : directory)
            guard config.socketGroup != 0, directory == config.state else { return }
            try made.changeOwner(uid: 0, gid: config.socketGroup)
            try made.changeMode(0o710)
        }
    }
}
