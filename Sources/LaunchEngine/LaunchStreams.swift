import LaunchProtocol
import Linux

/// A child's ends of its standard streams; nil is /dev/null, which the supervisor has there itself.
struct ChildStreams: ~Copyable {
    var input: OwnedFD?
    var output: OwnedFD?
    var error: OwnedFD?
}

/// The supervisor's ends, and the log.
struct ParentStreams: ~Copyable {
    var input: OwnedFD?
    var output: OwnedFD?
    var error: OwnedFD?
    var log: OwnedFD?
}

/// Both ends of what a plan's `Streams` ask for.
struct LaunchStreams: ~Copyable {
    var child = ChildStreams()
    var parent = ParentStreams()

    /// - Parameter descriptors: what came with the request; slot 0 of a plan is the third of them.
    init(_ streams: LaunchPlan.Streams, _ descriptors: inout DescriptorTable) throws(Errno) {
        var child = ChildStreams()
        var parent = ParentStreams()
        switch streams {
        case .null, .passedTerminal: break
        case .loggedTerminal(let log): parent.log = try LaunchStreams.take(log, &descriptors)
        case .logged(let log, let stdin):
            parent.log = try LaunchStreams.take(log, &descriptors)
            var output = try Pipe(nonBlockingReader: true)
            var error = try Pipe(nonBlockingReader: true)
            child.output = output.takeWriting()
            parent.output = output.takeReading()
            child.error = error.takeWriting()
            parent.error = error.takeReading()
            if stdin {
                var input = try Pipe()
                child.input = input.takeReading()
                parent.input = input.takeWriting()
            }
        case .passed(let stdin, let stdout, let stderr):
            child.input = try LaunchStreams.take(stdin, &descriptors)
            child.output = try LaunchStreams.take(stdout, &descriptors)
            child.error = try LaunchStreams.take(stderr, &descriptors)
        }
        self.child = child
        self.parent = parent
    }

    private static func take(_ slot: DescriptorSlot?, _ descriptors: inout DescriptorTable) throws(Errno) -> OwnedFD? {
        guard let slot else { return nil }
        guard let fd = descriptors.take(UInt16(slot) + 2) else { throw .badDescriptor }
        return fd
    }
}
