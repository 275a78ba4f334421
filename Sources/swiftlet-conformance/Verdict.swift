/// How a case ended.
enum Verdict: Equatable, Sendable {
    case passed
    case failed(String)
    /// Nothing was shown, for this reason.
    case skipped(String)

    var name: String {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .skipped: "skipped"
        }
    }

    var reason: String {
        switch self {
        case .passed: ""
        case .failed(let reason), .skipped(let reason): reason
        }
    }
}

/// Ends a case before its end.
struct Verdicted: Error, CustomStringConvertible {
    let verdict: Verdict
    var description: String { verdict.reason }
}

func fail(_ reason: String) -> Verdicted { Verdicted(verdict: .failed(reason)) }

func skip(_ reason: String) -> Verdicted { Verdicted(verdict: .skipped(reason)) }

/// What a case requires of a runtime.
func expect(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(Verdicted) {
    guard holds else { throw fail(otherwise()) }
}

func equal<Value: Equatable>(_ found: Value, _ wanted: Value, _ what: @autoclosure () -> String) throws(Verdicted) {
    guard found == wanted else { throw fail("\(what()): \(found), expected \(wanted)") }
}

/// One case and its end.
struct Result: Sendable {
    let test: Case
    let verdict: Verdict
    let duration: Duration
    /// What could not be removed afterwards.
    let leftovers: [String]
}
