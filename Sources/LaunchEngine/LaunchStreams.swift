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
    var limits = LogLimits.none
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
        case .loggedTerminal(let log, let limits):
            parent.log = try LaunchStreams.take(log, &descriptors)
            parent.limits = limits
        case .logged(let log, let stdin, let limits):
            parent.log = try LaunchStreams.take(log, &descriptors)
            parent.limits = limits
            var output = try Pipe(nonBlockingReader: true)
            var error = try Pipe(nonBlockingReader: true)
            child.output = output.takeWriting()
            parent.output = output.takeReading()
            child.error = error.takeWriting()
            parent.error = error.takeReading()
            if stdin {
                // Clients write it, who must not wait there. The container has the other end, another open file.
                var input = try Pipe(nonBlockingWriter: true)
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
