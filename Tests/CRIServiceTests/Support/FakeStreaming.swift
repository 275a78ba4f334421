import CRIService
import Model
import Synchronization

/// Gives URLs that say what they lead to.
final class FakeStreaming: StreamingPort {
    /// What the next call fails with.
    let fault = Mutex<Fault?>(nil)
    private let recorder: Recorder

    init(recorder: Recorder) { self.recorder = recorder }

    func execURL(_ container: ContainerID, command: [String], _ streams: StreamSelection) throws(Fault) -> String {
        try give("exec \(container) \(command) \(streams)")
    }

    func attachURL(_ container: ContainerID, _ streams: StreamSelection) throws(Fault) -> String {
        try give("attach \(container) \(streams)")
    }

    func portForwardURL(_ pod: PodID, ports: [UInt16]) throws(Fault) -> String { try give("forward \(pod) \(ports)") }

    private func give(_ target: String) throws(Fault) -> String {
        if let fault = fault.withLock({ $0 }) { throw fault }
        recorder.add(.streamTarget, target)
        return "http://127.0.0.1:1/token"
    }
}
