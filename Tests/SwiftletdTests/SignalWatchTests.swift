import Foundation
import Glibc
import Linux
import Testing

@testable import swiftletd

/// What a manager sends to a daemon, at any time.
@Suite(.serialized) struct SignalWatchTests {
    @Test func `a signal that comes as soon as the watch is there is not lost`() async throws {
        for _ in 1...200 {
            let watch = try SignalWatch([.user1, .user2])
            #expect(kill(getpid(), SIGUSR2) == 0)
            #expect(await watch.first() == .user2)
        }
    }

    @Test func `each watch sees its own signals, and of repetitions at least one`() async throws {
        let first = try SignalWatch([.user1])
        let second = try SignalWatch([.user2])
        for _ in 1...1000 { #expect(kill(getpid(), SIGUSR1) == 0) }
        #expect(await first.first() == .user1)
        #expect(kill(getpid(), SIGUSR2) == 0)
        #expect(await second.first() == .user2)
    }

    @Test func `after the watch its signals are ignored`() async throws {
        do { _ = try SignalWatch([.user1]) }
        #expect(kill(getpid(), SIGUSR1) == 0)
        // A mask in hexadecimal, whose lowest bit is signal 1 (proc_pid_status(5)).
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") })
        let mask = try #require(UInt64(line.dropFirst("SigIgn:".count).trimmingCharacters(in: .whitespaces), radix: 16))
        #expect(mask >> UInt64(SIGUSR1 - 1) & 1 == 1)
    }
}
