/// What an errno means, in the words of strerror(3) with a small first letter.
enum ErrnoText {
    static func text(_ number: Int32) -> String { table[number] ?? "error \(number)" }

    static let notFound: Int32 = 2

    private static let table: [Int32: String] = [
        1: "operation not permitted", 2: "no such file or directory", 3: "no such process",
        4: "interrupted system call",
        5: "input/output error", 6: "no such device or address", 7: "argument list too long", 8: "exec format error",
        9: "bad file descriptor", 10: "no child processes", 11: "resource temporarily unavailable",
        12: "cannot allocate memory",
        13: "permission denied", 14: "bad address", 15: "block device required", 16: "device or resource busy",
        17: "file exists",
        18: "invalid cross-device link", 19: "no such device", 20: "not a directory", 21: "is a directory",
        22: "invalid argument",
        23: "too many open files in system", 24: "too many open files", 25: "inappropriate ioctl for device",
        26: "text file busy",
        27: "file too large", 28: "no space left on device", 29: "illegal seek", 30: "read-only file system",
        31: "too many links",
        32: "broken pipe", 34: "numerical result out of range", 35: "resource deadlock avoided",
        36: "file name too long",
        37: "no locks available", 38: "function not implemented", 39: "directory not empty",
        40: "too many levels of symbolic links",
        61: "no data available", 62: "timer expired", 71: "protocol error", 75: "value too large for defined data type",
        80: "accessing a corrupted shared library", 87: "too many users", 88: "socket operation on non-socket",
        90: "message too long",
        95: "operation not supported", 97: "address family not supported by protocol", 98: "address already in use",
        99: "cannot assign requested address", 100: "network is down", 103: "software caused connection abort",
        104: "connection reset by peer", 105: "no buffer space available", 110: "timed out", 111: "connection refused",
        113: "no route to host", 114: "operation already in progress", 116: "stale file handle",
        117: "structure needs cleaning",
        122: "disk quota exceeded", 125: "operation cancelled", 126: "required key not available",
    ]
}
