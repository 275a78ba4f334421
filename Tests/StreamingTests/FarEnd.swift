import CLinux
import Glibc
import Linux
import Synchronization
import Testing

/// A process's end of a pipe or a terminal: blocking, and used from threads of its own.
final class FarEnd: Sendable {
    private let fd: Mutex<Int32>
    init(_ fd: Int32) { self.fd = Mutex(fd) }
    deinit { close() }

    func close() {
        fd.withLock { fd in
            if fd >= 0 { _ = Glibc.close(fd) }
            fd = -1
        }
    }

    var path: String { fd.withLock { "/proc/self/fd/\($0)" } }

    /// The file's own name.
    var name: String {
        var target = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &target, target.count)
        return String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether nobody holds the other end of a pipe that is written here (poll(2), POLLERR).
    var isCutOff: Bool {
        fd.withLock { fd in
            var watched = pollfd(fd: fd, events: 0, revents: 0)
            return fd >= 0 && poll(&watched, 1, 0) == 1 && watched.revents & Int16(POLLERR) != 0
        }
    }

    /// Writes all of it on a thread that may wait; false when the other end is closed.
    @discardableResult
    func write(_ bytes: [UInt8]) async -> Bool {
        let number = fd.withLock { $0 }
        return await onThread {
            var done = 0
            while done < bytes.count {
                let count = bytes[done...].withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
                if count <= 0 { return false }
                done += count
            }
            return true
        }
    }

    func write(_ text: String) async { await write(Array(text.utf8)) }

    /// Exactly this many bytes, or fewer at the end.
    func read(_ count: Int) async -> [UInt8] {
        let number = fd.withLock { $0 }
        return await onThread {
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: min(count, 1 << 16))
            while bytes.count < count {
                let read = Glibc.read(number, &piece, min(piece.count, count - bytes.count))
                if read <= 0 { break }
                bytes += piece[..<read]
            }
            return bytes
        }
    }

    func readText(_ count: Int) async -> String { String(decoding: await read(count), as: UTF8.self) }
}

private let threads = BlockingPool(name: "far ends", threadsMax: 64)

func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    do { return try await threads.run(body) } catch { preconditionFailure("\(error)") }
}

func makePipe() -> (reading: Int32, writing: Int32) {
    do throws(Errno) {
        var pipe = try Pipe()
        return (pipe.takeReading().take(), pipe.takeWriting().take())
    } catch {
        preconditionFailure("\(error)")
    }
}

func makeTerminal() -> (master: Int32, slave: Int32) {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    #expect(cl_pty_unlock(master) == 0)
    return (master, Int32(cl_pty_peer(master)))
}

func setNonBlocking(_ fd: Int32) { #expect(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0) }
