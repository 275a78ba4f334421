import Linux

extension Pipe {
    /// Takes the writing end; a number that is no descriptor stays, and closing it is harmless.
    mutating func takeWriting() -> OwnedFD {
        var end = OwnedFD(taking: -1)
        swap(&end, &writing)
        return end
    }

    /// Takes the reading end; see above.
    mutating func takeReading() -> OwnedFD {
        var end = OwnedFD(taking: -1)
        swap(&end, &reading)
        return end
    }
}
