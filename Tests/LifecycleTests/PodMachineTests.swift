import Lifecycle
import Testing

@Suite("Pod machine")
struct PodMachineTests {
    static let states: [PodMachine.State] = [.creating, .ready, .stopping, .stopped, .removing, .removed]

    static let table = """
        creating made -> ready
        creating failed+undone -> removed
        creating failed -> stopped
        creating lost -> creating false
        creating stop -> creating awaitCreation
        creating stop+released -> creating awaitCreation
        creating stopped -> creating
        creating remove -> creating awaitCreation
        creating remove+released -> creating awaitCreation
        creating removalFailed -> creating
        ready made -> ready
        ready failed+undone -> ready
        ready failed -> ready
        ready lost -> stopped true
        ready stop -> stopping stop
        ready stop+released -> stopping stop
        ready stopped -> ready
        ready remove -> ready stopFirst
        ready remove+released -> ready stopFirst
        ready removalFailed -> ready
        stopping made -> stopping
        stopping failed+undone -> stopping
        stopping failed -> stopping
        stopping lost -> stopping false
        stopping stop -> stopping awaitStop
        stopping stop+released -> stopping awaitStop
        stopping stopped -> stopped
        stopping remove -> stopping awaitStop
        stopping remove+released -> stopping awaitStop
        stopping removalFailed -> stopping
        stopped made -> stopped
        stopped failed+undone -> stopped
        stopped failed -> stopped
        stopped lost -> stopped false
        stopped stop -> stopping stop
        stopped stop+released -> stopped nothing
        stopped stopped -> stopped
        stopped remove -> stopped stopFirst
        stopped remove+released -> removing remove
        stopped removalFailed -> stopped
        removing made -> removing
        removing failed+undone -> removing
        removing failed -> removing
        removing lost -> removing false
        removing stop -> removing nothing
        removing stop+released -> removing nothing
        removing stopped -> removing
        removing remove -> removing awaitRemoval
        removing remove+released -> removing awaitRemoval
        removing removalFailed -> stopped
        removed made -> removed
        removed failed+undone -> removed
        removed failed -> removed
        removed lost -> removed false
        removed stop -> removed nothing
        removed stop+released -> removed nothing
        removed stopped -> removed
        removed remove -> removed nothing
        removed remove+released -> removed nothing
        removed removalFailed -> removed
        """

    @Test("every event in every state does what the table says")
    func total() {
        typealias Event = (String, (inout PodMachine) -> String)
        let events: [Event] = [
            (
                "made",
                {
                    $0.made(); return ""
                }
            ),
            (
                "failed+undone",
                {
                    $0.failed(undone: true); return ""
                }
            ),
            (
                "failed",
                {
                    $0.failed(undone: false); return ""
                }
            ),
            ("lost", { " \($0.lost())" }),
            ("stop", { " \($0.stop(released: false))" }),
            ("stop+released", { " \($0.stop(released: true))" }),
            (
                "stopped",
                {
                    $0.stopped(); return ""
                }
            ),
            ("remove", { " \($0.remove(released: false))" }),
            ("remove+released", { " \($0.remove(released: true))" }),
            (
                "removalFailed",
                {
                    $0.removalFailed(); return ""
                }
            ),
        ]
        var lines: [String] = []
        for state in Self.states {
            for (name, event) in events {
                var machine = PodMachine(state)
                let action = event(&machine)
                lines.append("\(state) \(name) -> \(machine.state)\(action)")
            }
        }
        #expect(lines.joined(separator: "\n") == Self.table)
    }
}
