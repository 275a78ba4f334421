import Testing

@testable import LaunchEngine
@testable import LaunchProtocol

@Suite("Memory sharing")
struct MemorySharingTests {
    private static let tracing: UInt64 = 1 << 19

    private static func capabilities(permitted: UInt64 = 0, inheritable: UInt64 = 0) -> Step {
        .setCapabilities(effective: permitted, permitted: permitted, inheritable: inheritable, ambient: 0)
    }

    @Test(
        "only what is bounded and inherits nothing is without tracing for ever",
        arguments: [
            ([], false), ([.setBoundingCapabilities(0)], true), ([.setBoundingCapabilities(~tracing)], true),
            ([.setBoundingCapabilities(tracing)], false), ([.setBoundingCapabilities(.max)], false),
            ([.setBoundingCapabilities(0), capabilities(permitted: tracing)], true),
            ([.setBoundingCapabilities(0), capabilities(inheritable: tracing), capabilities()], false),
            ([capabilities()], false),
        ] as [([Step], Bool)])
    func bounds(steps: [Step], isWithout: Bool) {
        #expect(LaunchPlan(kind: .exec, steps: steps).isWithoutTracing == isWithout)
    }

    @Test("a guest is a container in another's namespace")
    func guests() {
        for (kind, namespace, isGuest) in [
            (.container, .container(Array("c".utf8)), true), (.exec, .container(Array("c".utf8)), false),
            (.container, .new, false), (.container, .podInit, false), (.container, .host, false),
        ] as [(LaunchPlan.Kind, LaunchPlan.PIDNamespace, Bool)] {
            #expect(LaunchPlan(kind: kind, pidNamespace: namespace, steps: []).isGuest == isGuest)
        }
    }
}
