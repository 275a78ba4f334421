import CLICore

/// Prints a log until its container has ended.
struct LogFollower {
    var file: LogFile
    var printer: LogPrinter

    /// Prints what is there now.
    mutating func printAvailable() throws -> Bool {
        var printer = printer
        let found = try file.read { if !printer.isDone { try printer.print($0) } }
        self.printer = printer
        return found
    }

    /// Prints what is there and what comes, until `hasEnded` says that no more will come.
    ///
    /// Both the file and the container are polled: quickly at first, so that a short container costs no wait, then ever
    /// less often. A tenth of the time that has passed is too little to notice.
    mutating func follow(until hasEnded: () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        var askAgain = start
        var pause = Duration.milliseconds(2)
        while !printer.isDone {
            if try printAvailable() { pause = .milliseconds(2) }
            if ContinuousClock.now >= askAgain {
                if try await hasEnded() {
                    _ = try printAvailable()
                    return
                }
                let now = ContinuousClock.now
                askAgain = now + min(max((now - start) / 10, .milliseconds(2)), .milliseconds(500))
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(64))
        }
    }
}
