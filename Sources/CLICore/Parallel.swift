/// Runs `body` for every item, at most `limit` at a time, and returns the results in the order of the items.
package func inParallel<Item: Sendable, Result: Sendable>(
    _ items: [Item], limit: Int, _ body: @escaping @Sendable (Item) async -> Result
) async -> [Result] {
    await withTaskGroup(of: (Int, Result).self) { group in
        var results: [Int: Result] = [:]
        for (index, item) in items.enumerated() {
            if index >= limit, let (done, result) = await group.next() { results[done] = result }
            group.addTask { (index, await body(item)) }
        }
        for await (done, result) in group { results[done] = result }
        return items.indices.compactMap { results[$0] }
    }
}
