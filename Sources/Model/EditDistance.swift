/// Levenshtein's distance, for "did you mean": of names short enough to be mistakes in typing, else `Int.max`.
package func editDistance(_ left: String, _ right: String) -> Int {
    guard left.count <= 64, right.count <= 64 else { return .max }
    var previous = Array(0...right.count)
    for (row, character) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            let replace = previous[column] + (character == other ? 0 : 1)
            current.append(min(replace, previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[right.count]
}
