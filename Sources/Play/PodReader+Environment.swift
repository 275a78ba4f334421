// Variables of the environment.
extension PodReader {
    func variable(_ fields: ManifestFields) -> EnvironmentEntry? {
        let name = fields.required("name")
        if name.contains("=") { fields.error("name", "has a \"=\"") }
        let value = fields.string("value")
        var entry = EnvironmentEntry.value(name: name, value ?? "")
        if let from = fields.fields("valueFrom"), let source = source(from) {
            entry = .source(name: name, source, line: fields.line)
        }
        fields.end()
        return entry
    }

    func environmentFrom(_ fields: ManifestFields) -> EnvironmentEntry? {
        let prefix = fields.string("prefix") ?? ""
        var entry: EnvironmentEntry?
        for (field, isSecret) in [("configMapRef", false), ("secretRef", true)] {
            guard let reference = fields.fields(field) else { continue }
            let name = reference.required("name")
            reference.cannot("optional")
            reference.end()
            entry = .all(
                prefix: prefix, isSecret ? .secret(name, key: "") : .configMap(name, key: ""), line: fields.line)
        }
        fields.end()
        if entry == nil { fields.error("", "names neither a configMapRef nor a secretRef") }
        return entry
    }

    func source(_ fields: ManifestFields) -> ValueSource? {
        var found: ValueSource?
        if let key = fields.fields("configMapKeyRef") {
            found = .configMap(key.required("name"), key: key.required("key"))
            key.cannot("optional")
            key.end()
        }
        if let key = fields.fields("secretKeyRef") {
            found = .secret(key.required("name"), key: key.required("key"))
            key.cannot("optional")
            key.end()
        }
        if let field = fields.fields("fieldRef") {
            found = .field(field.required("fieldPath"))
            field.ignore("apiVersion")
            field.end()
        }
        if let resource = fields.fields("resourceFieldRef") {
            found = .resource(
                container: resource.string("containerName") ?? "", resource.required("resource"),
                divisor: resource.word("divisor") ?? "1")
            resource.end()
        }
        if found == nil { fields.error("", "has no source that is known here") }
        return found
    }
}
