import CLICore
import Testing

@testable import swiftlet

@Suite struct TemplateTests {
    static let value = """
        {"status":{"id":"abc","state":"RUNNING","exitCode":0,"createdAt":"170","labels":{"b.c":"2","a":"1"},"none":null},
         "items":[{"n":1,"name":"one"},{"n":2,"name":"two"}],"empty":[],"flag":true}
        """

    static let rows: [(String, String)] = [
        ("plain", "plain"), ("", ""), ("{{.status.id}}", "abc"), ("{{ .status.exitCode }}", "0"), ("{{.flag}}", "true"),
        ("{{.status.missing}}", "<no value>"), ("{{.status.none.deeper}}", "<no value>"),
        ("{{.status.labels}}", #"{"b.c":"2","a":"1"}"#),
        ("{{json .items}}", #"[{"n":1,"name":"one"},{"n":2,"name":"two"}]"#),
        (#"{{index .status.labels "b.c"}}"#, "2"), ("{{(index .items 1).name}}", "two"),
        (#"{{index .items 0 "name"}}"#, "one"), ("{{range .items}}{{.n}},{{end}}", "1,2,"),
        ("{{range $i, $v := .items}}{{$i}}={{$v.name}} {{end}}", "0=one 1=two "),
        ("{{range $k, $v := .status.labels}}{{$k}}={{$v}};{{end}}", "a=1;b.c=2;"),
        ("{{range .empty}}x{{else}}none{{end}}", "none"), ("{{range .items}}{{$.status.id}}{{end}}", "abcabc"),
        ("{{if .empty}}a{{else if .flag}}b{{else}}c{{end}}", "b"),
        ("{{if .empty}}a{{else if .empty}}b{{else}}c{{end}}", "c"),
        ("{{if not .empty}}a{{end}}", "a"), ("{{if eq .status.state \"RUNNING\" }}yes{{end}}", "yes"),
        (#"{{if eq .status.state "X" "RUNNING"}}yes{{end}}"#, "yes"),
        ("{{if lt 9 .status.createdAt}}yes{{end}}", "yes"),
        ("{{if ge 2 2}}a{{end}}{{if gt 2 2}}b{{end}}{{if le 3 2}}c{{end}}{{if ne 1 2}}d{{end}}", "ad"),
        ("{{and .flag .empty}}|{{or .empty .flag}}", "[]|true"), ("{{with .status}}{{.id}}{{end}}", "abc"),
        ("{{with $s := .status}}{{$s.id}}{{end}}", "abc"), ("{{with .empty}}x{{else}}y{{end}}", "y"),
        ("{{$x := .status.id}}{{$x}}{{if .flag}}{{$x = 7}}{{end}}{{$x}}", "abc7"), ("{{.status.id | upper}}", "ABC"),
        (#"{{upper "a" | printf "%s-%5s|%-4d|%q%%" .status.id .flag 3}}"#, #"abc- true|3   |"A"%"#),
        ("{{len .items}}{{len .status.id}}{{len .missing}}", "230"), (#"{{title "ab cd"}} {{lower "AB"}}"#, "Ab Cd ab"),
        (#"{{print .status.id 1}} {{println "a" 2}}"#, "abc1 a 2\n"), ("a  {{- 1 -}}  b", "a1b"),
        ("a{{/* }} */}}b", "ab"),
        (#"{{"}}"}}{{`\n`}}{{"\t\"\\"}}"#, "}}\\n\t\"\\"), ("{{-1}}", "-1"),
        ("{{nil}} {{true}} {{false}}", "<no value> true false"),
    ]

    @Test("a template shows what Go's would", arguments: rows)
    func shows(template: String, expected: String) throws {
        let value = try JSONParser.parse(Self.value.utf8)
        #expect(try Template(parsing: template).text(value) == expected)
    }

    static let badRows: [(String, String)] = [
        ("{{", "no end"), ("{{.a", "no end"), ("{{}}", "nothing in it"), ("{{/* a", "no end"),
        ("{{if .a}}", "no {{end}}"),
        ("{{end}}", "without a block"), ("{{else}}", "without a block"),
        ("{{if .a}}{{else}}{{else}}{{end}}", "no {{end}}"),
        ("{{range .a}}{{else if .b}}{{end}}{{end}}", "expected {{else}}"),
        ("{{nonsense .a}}", "no function \"nonsense\""),
        ("{{len}}", "number of arguments"), ("{{len .a .b}}", "number of arguments"), ("{{.a .b}}", "does not end"),
        ("{{$x}}", "$x is not declared"), ("{{$x = 1}}", "$x is not declared"), ("{{$ = 1}}", "$ is not declared"),
        ("{{if .a}}{{$x := 1}}{{end}}{{$x}}", "$x is not declared"), ("{{(len .a}}", "not closed"),
        ("{{.a | .b}}", "expected"),
        ("{{.a..b}}", "name is missing"), (#"{{"abc}}"#, "no end"), (#"{{"\x"}}"#, "escape"),
        ("{{5x}}", "not a number"),
        ("{{#}}", "not understood"), ("{{range $a, $b, $c := .a}}{{end}}", "at most 2"), ("{{if}}a{{end}}", "expected"),
        (String(repeating: "{{if .a}}", count: 100), "64"),
        ("{{" + String(repeating: "(", count: 100) + ".a" + String(repeating: ")", count: 100) + "}}", "64"),
        (String(repeating: "x", count: 65_537), "64 KiB"),
    ]

    @Test("a template with a mistake is refused with what is wrong", arguments: badRows)
    func refuses(template: String, says: String) {
        let failure = #expect(throws: Failure.self) { try Template(parsing: template) }
        #expect(failure?.message.contains(says) == true, "\(failure?.message ?? "")")
        #expect(failure?.exitStatus == Failure.misused)
    }

    static let lateRows: [(String, String)] = [
        ("{{.status.id.x}}", ".x of a string"), ("{{index .items 9}}", "index 9 of a list of 2"),
        ("{{range .status.id}}{{end}}", "range over a string"), ("{{len .flag}}", "len of a boolean"),
        ("{{lt .flag .items}}", "no order"), (#"{{printf "%d"}}"#, "printf"), (#"{{printf "a" 1}}"#, "too many"),
        (#"{{printf "%x" 1}}"#, "printf"), (#"{{printf "%9999999999999999999d" 1}}"#, "width"),
        (#"{{printf "%"}}"#, "printf"),
        (#"{{index .items "a"}}"#, "index of a list by a string"), ("{{index .items -1}}", "index -1"),
    ]

    @Test("a template that does not fit the value says where", arguments: lateRows)
    func doesNotFit(template: String, says: String) throws {
        let value = try JSONParser.parse(Self.value.utf8)
        let failure = #expect(throws: Failure.self) { try Template(parsing: template).text(value) }
        #expect(failure?.message.contains(says) == true, "\(failure?.message ?? "")")
    }

    @Test("a template that multiplies itself ends with an error, not with the memory")
    func bounded() throws {
        let list = JSONValue.array(Array(repeating: .string("x"), count: 400))
        let loops = String(repeating: "{{range $}}", count: 4) + String(repeating: "y", count: 4000)
        let template = try Template(parsing: loops + String(repeating: "{{end}}", count: 4))
        let failure = #expect(throws: Failure.self) { try template.text(list) }
        #expect(failure?.message.contains("64 MiB") == true)
    }
}
