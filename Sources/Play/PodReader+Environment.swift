// Variables of the environment.
extension PodReader {
    func variable(_ fields: ManifestFields) -> EnvironmentEntry? {
        let name = fields.required("name")
        if name.contains("=") { fields.error("name", "has a \"=\"") }
        let value = fields.string("value")
        var entry = EnvironmentEntry.value(name: name, value ?? "")
        if let from = fields.fields("valueFrom"), let (source, isOptional) = source(from) {
            entry = .source(name: name, source, isOptional: isOptional, line: fields.line)
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
            let isOptional = reference.bool("optional") ?? false
            reference.end()
            entry = .all(
                prefix: prefix, isSecret ? .secret(name, key: "") : .configMap(name, key: ""), isOptional: isOptional,
                line: fields.line)
        }
        fields.end()
        if entry == nil { fields.error("", "names neither a configMapRef nor a secretRef") }
        return entry
    }

    /// Where a value comes from, and whether it may be absent.
    func source(_ fields: ManifestFields) -> (ValueSource, isOptional: Bool)? {
        var found: ValueSource?
        var isOptional = false
        if let key = fields.fields("configMapKeyRef") {
            found = .configMap(key.required("name"), key: key.required("key"))
            isOptional = key.bool("optional") ?? false
            key.end()
        }
        if let key = fields.fields("secretKeyRef") {
            found = .secret(key.required("name"), key: key.required("key"))
            isOptional = key.bool("optional") ?? false
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
        return found.map { ($0, isOptional) }
    }
}
