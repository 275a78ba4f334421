import Model

/// How a remote command ended, as the error stream tells it.
enum CommandStatus: Equatable {
    case success
    case exitCode(Int32)
    /// The command did not run, or nothing is known of its end.
    case failure(String)

    /// From v4 on a metav1.Status in JSON (remotecommand/constants.go of apimachinery); before that a sentence, or nothing.
    func text(inJSON: Bool) -> String {
        switch self {
        case .success: inJSON ? #"{"metadata":{},"status":"Success"}"# : ""
        case .exitCode(let code):
            inJSON
                ? Self.failure(
                    sentence, reason: "NonZeroExitCode", cause: #"{"reason":"ExitCode","message":"\#(code)"}"#,
                    code: nil)
                : sentence
        case .failure(let message):
            inJSON
                ? Self.failure(
                    sentence, reason: "InternalError", cause: #"{"message":\#(JSONText.quoted(message))}"#, code: 500)
                : sentence
        }
    }

    private var sentence: String {
        switch self {
        case .success: ""
        case .exitCode(let code): "command terminated with non-zero exit code: exit status \(code)"
        case .failure(let message): "Internal error occurred: \(message)"
        }
    }

    private static func failure(_ message: String, reason: String, cause: String, code: Int?) -> String {
        let code = code.map { #","code":\#($0)"# } ?? ""
        return #"{"metadata":{},"status":"Failure","message":\#(JSONText.quoted(message)),"reason":"\#(reason)","#
            + #""details":{"causes":[\#(cause)]}\#(code)}"#
    }
}

/// Strings of JSON (RFC 8259, 7).
enum JSONText {
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
