import CLinux

/// Descriptors by number of slot: what came with a message, or the detached mounts of a launch.
@usableFromInline
package struct DescriptorTable: ~Copyable, Sendable {
    private struct Entry { var slot: UInt16, raw: Int32 }
    /// Each `raw` is owned by this table until it is taken.
    private var entries: [Entry] = []

    package init() {}

    // Inlinable: Embedded Swift must see what an imported value does at its end.
    @inlinable deinit { closeAll() }

    @usableFromInline func closeAll() { for entry in entries { closeDescriptor(entry.raw) } }

    package var count: Int { entries.count }

    package func contains(_ slot: UInt16) -> Bool { index(of: slot) != nil }

    /// Puts a descriptor in a slot; what was there is closed.
    package mutating func put(_ slot: UInt16, _ fd: consuming OwnedFD) {
        let raw = fd.take()
        if let index = index(of: slot) {
            _ = cl_close(entries[index].raw)
            entries[index].raw = raw
        } else {
            entries.append(Entry(slot: slot, raw: raw))
        }
    }

    /// Puts a descriptor in the slot after the highest one.
    package mutating func append(_ fd: consuming OwnedFD) {
        var slot: UInt16 = 0
        for entry in entries where entry.slot >= slot { slot = entry.slot &+ 1 }
        put(slot, fd)
    }

    package mutating func take(_ slot: UInt16) -> OwnedFD? {
        guard let index = index(of: slot) else { return nil }
        return OwnedFD(taking: entries.remove(at: index).raw)
    }

    /// Lends the descriptor of a slot; EBADF where there is none.
    package func with<Result: ~Copyable>(
        _ slot: UInt16, _ body: (borrowing OwnedFD) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        guard let index = index(of: slot) else { throw .badDescriptor }
        let lent = OwnedFD(taking: entries[index].raw)
        // The table stays the owner: the loan must not close.
        let outcome: Result
        do { outcome = try body(lent) } catch {
            _ = lent.take()
            throw error
        }
        _ = lent.take()
        return outcome
    }

    /// The numbers in the order of the slots, for calls that take many.
    var numbers: [Int32] {
        var sorted = entries
        // Insertion sort: few entries, mostly in order already.
        var next = 1
        while next < sorted.count {
            var at = next
            while at > 0, sorted[at - 1].slot > sorted[at].slot {
                sorted.swapAt(at - 1, at)
                at -= 1
            }
            next += 1
        }
        return sorted.map { $0.raw }
    }

    private func index(of slot: UInt16) -> Int? {
        for index in 0..<entries.count where entries[index].slot == slot { return index }
        return nil
    }
}

/// Descriptors to be kept when a new process closes all others.
package struct DescriptorSet: Sendable {
    private var raw: [Int32] = []

    package init() {}

    package mutating func insert(_ fd: borrowing OwnedFD) { insert(fd.raw) }

    package mutating func insert(_ table: borrowing DescriptorTable) {
        for number in table.numbers { insert(number) }
    }

    private mutating func insert(_ number: Int32) {
        var at = raw.count
        while at > 0, raw[at - 1] > number { at -= 1 }
        if at == 0 || raw[at - 1] != number { raw.insert(number, at: at) }
    }

    /// close_range(2) of everything above 2 that is not in the set. Owners of closed numbers must never run their clean-up:
    /// for a process that ends in execve(2) or _exit(2).
    package func closeAllOthers() throws(Errno) {
        var first: UInt32 = 3
        for number in raw where number >= 3 {
            let kept = UInt32(bitPattern: number)
            if kept > first { try check(cl_close_range(first, kept - 1, 0)) }
            first = kept + 1
        }
        try check(cl_close_range(first, UInt32.max, 0))
    }

    /// close_range(2) with CLOSE_RANGE_CLOEXEC (4) of everything above 2: the last word before execve(2).
    package static func closeAllOnExecute() throws(Errno) { try check(cl_close_range(3, UInt32.max, 4)) }
}
