/// Runs a filter as the kernel would, on one system call (linux/filter.h; only what seccomp programs use).
struct BPFInterpreter {
    enum Answer: Equatable, CustomStringConvertible {
        case allow, errno(Int), killThread, killProcess, log, other(UInt32), invalid(String)

        var description: String {
            switch self {
            case .allow: "allow"
            case .errno(let number): "errno \(number)"
            case .killThread: "kill thread"
            case .killProcess: "kill process"
            case .log: "log"
            case .other(let value): "answer \(value)"
            case .invalid(let why): "invalid program: \(why)"
            }
        }
    }

    static let x86_64: UInt32 = 0xc000_003e
    static let i386: UInt32 = 0x4000_0003
    static let x32Bit: UInt32 = 0x4000_0000

    var program: [UInt8]

    func answer(number: UInt32, architecture: UInt32, arguments: [UInt64] = []) -> Answer {
        run(number: number, architecture: architecture, arguments: arguments).answer
    }

    /// The answer, and how many instructions it took up to it or, as in seccomp_is_const_allow, to the first argument.
    func run(
        number: UInt32, architecture: UInt32, arguments: [UInt64] = []
    ) -> (answer: Answer, instructions: Int, instructionsToArgument: Int?) {
        let words =
            [number, architecture, 0, 0]
            + (0..<6).flatMap { index -> [UInt32] in
                let value = index < arguments.count ? arguments[index] : 0
                return [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
            }
        var accumulator: UInt32 = 0
        var place = 0
        var (instructions, toArgument): (Int, Int?) = (0, nil)
        func ends(_ answer: Answer) -> (Answer, Int, Int?) { (answer, instructions, toArgument) }
        while place * 8 + 8 <= program.count {
            let at = place * 8
            let code = UInt16(program[at]) | UInt16(program[at + 1]) << 8
            let (ifTrue, ifFalse) = (Int(program[at + 2]), Int(program[at + 3]))
            let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(program[at + 4 + $1]) << (8 * UInt32($1)) }
            place += 1
            instructions += 1
            switch code {
            case 0x20:
                guard value % 4 == 0, value / 4 < words.count else { return ends(.invalid("load at \(value)")) }
                if value >= 16 && toArgument == nil { toArgument = instructions }
                accumulator = words[Int(value / 4)]
            case 0x54: accumulator &= value
            case 0x05: place += Int(value)
            case 0x15: place += accumulator == value ? ifTrue : ifFalse
            case 0x25: place += accumulator > value ? ifTrue : ifFalse
            case 0x35: place += accumulator >= value ? ifTrue : ifFalse
            case 0x45: place += accumulator & value != 0 ? ifTrue : ifFalse
            case 0x06: return ends(Self.meaning(value))
            default: return ends(.invalid("code \(code)"))
            }
        }
        return ends(.invalid("runs past its end"))
    }

    private static func meaning(_ value: UInt32) -> Answer {
        switch value & 0xffff_0000 {
        case 0x7fff_0000: .allow
        case 0x0005_0000: .errno(Int(value & 0xffff))
        case 0x0000_0000: .killThread
        case 0x8000_0000: .killProcess
        case 0x7ffc_0000: .log
        default: .other(value)
        }
    }
}
