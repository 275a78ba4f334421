package import Model

/// Which signal asks a container to stop: the CRI's, else the image's, else SIGTERM (signal(7), x86 and ARM numbers).
package enum StopSignal {
    private static let names: [(String, Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6), ("BUS", 7), ("FPE", 8),
        ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15), ("STKFLT", 16),
        ("CHLD", 17), ("CLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23),
        ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29), ("POLL", 29), ("PWR", 30),
        ("SYS", 31),
    ]
    private static let realTimeFirst: Int32 = 34
    private static let realTimeLast: Int32 = 64

    /// The number of a signal as an image names it: "SIGTERM", "TERM", "SIGRTMIN+3", or "15". Nil = no such signal.
    package static func number(_ text: String) -> Int32? {
        if let number = Int32(text) { return (1...realTimeLast).contains(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let known = names.first(where: { $0.0 == name }) { return known.1 }
        if name == "RTMIN" { return realTimeFirst }
        if name == "RTMAX" { return realTimeLast }
        if name.hasPrefix("RTMIN+"), let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) {
            return realTimeFirst + offset
        }
        if name.hasPrefix("RTMAX-"), let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) {
            return realTimeLast - offset
        }
        return nil
    }

    /// The name of a signal number, as the CRI's enumeration spells it without its prefix; nil for a number without one.
    package static func name(_ number: Int32) -> String? {
        if let known = names.first(where: { $0.1 == number }) { return "SIG" + known.0 }
        guard (realTimeFirst...realTimeLast).contains(number) else { return nil }
        if number == realTimeFirst { return "SIGRTMIN" }
        if number == realTimeLast { return "SIGRTMAX" }
        return number <= 49 ? "SIGRTMINPLUS\(number - realTimeFirst)" : "SIGRTMAXMINUS\(realTimeLast - number)"
    }

    /// The signal that is really sent. An image's unknown signal is an error (rule R9), not SIGTERM.
    package static func effective(requested: Int32, image: String) throws(Fault) -> Int32 {
        if requested != 0 { return requested }
        if image.isEmpty { return 15 }
        guard let number = number(image) else {
            throw Fault.invalid("image configuration: stop signal \"\(image)\" is unknown")
        }
        return number
    }
}
