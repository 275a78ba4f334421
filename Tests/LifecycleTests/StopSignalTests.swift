import Lifecycle
import Testing

@Suite("Stop signal")
struct StopSignalTests {
    @Test(
        "names and numbers of images become signal numbers",
        arguments: [
            ("SIGTERM", 15), ("TERM", 15), ("sigquit", 3), ("15", 15), ("64", 64), ("SIGRTMIN", 34), ("SIGRTMIN+3", 37),
            ("RTMAX-14", 50), ("SIGRTMAX", 64), ("0", nil), ("65", nil), ("-1", nil), ("SIGFOO", nil), ("", nil),
            ("SIGRTMIN+31", nil), ("99999999999999999999", nil),
        ] as [(String, Int32?)])
    func number(_ text: String, _ expected: Int32?) { #expect(StopSignal.number(text) == expected) }

    @Test("the request wins over the image, the image over SIGTERM, and an unknown name is an error")
    func effective() throws {
        #expect(try StopSignal.effective(requested: 2, image: "SIGQUIT") == 2)
        #expect(try StopSignal.effective(requested: 0, image: "SIGQUIT") == 3)
        #expect(try StopSignal.effective(requested: 0, image: "") == 15)
        #expect(throws: (any Error).self) { try StopSignal.effective(requested: 0, image: "SIGNOPE") }
    }
}
