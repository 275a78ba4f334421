import CLICore
import CRIProto
import SwiftProtobuf
import Foundation
import GRPC

/// Runs cases against a runtime.
struct Suite: Sendable {
    let subject: Subject
    /// How many cases run beside each other.
    var width = 4

    /// Runs the cases, those that must be alone at the end; the results are in the order of the cases.
    func run(_ cases: [Case], told: @escaping @Sendable (Result) -> Void = { _ in }) async throws -> [Result] {
        try await pull()
        let beside = cases.filter { !$0.isAlone }
        var results: [String: Result] = [:]
        for (group, limit) in [(beside, width), (cases.filter(\.isAlone), 1)] {
            for result in await inParallel(
                group, limit: limit,
                { test in
                    let result = await run(test)
                    told(result)
                    return result
                })
            { results[result.test.id] = result }
        }
        return cases.compactMap { results[$0.id] }
    }

    private func pull() async throws {
        for image in [subject.settings.image] {
            do {
                _ = try await subject.call(
                    CRIMethods.pullImage, .with { $0.image.image = image }, timeout: .seconds(300))
            } catch {
                throw Failure("pull \(image): \(error)")
            }
        }
    }

    private func run(_ test: Case) async -> Result {
        let start = ContinuousClock.now
        do {
            let trial = try Trial(subject)
            let verdict = await verdict(of: test, trial)
            let leftovers = await trial.cleanUp()
            return Result(
                test: test,
                verdict: verdict == .passed && !leftovers.isEmpty
                    ? .failed("not removed: " + leftovers.joined(separator: ", ")) : verdict,
                duration: ContinuousClock.now - start, leftovers: leftovers)
        } catch {
            return Result(
                test: test, verdict: .failed("\(error)"), duration: ContinuousClock.now - start, leftovers: [])
        }
    }

    private func verdict(of test: Case, _ trial: Trial) async -> Verdict {
        let limit = subject.settings.limit
        return await withTaskGroup(of: Verdict?.self) { group in
            group.addTask {
                do {
                    try await test.body(trial)
                    return .passed
                } catch let error as Verdicted {
                    return error.verdict
                } catch {
                    return .failed("\(error)")
                }
            }
            group.addTask {
                do { try await Task.sleep(for: limit) } catch { return nil }
                return .failed("not finished within \(durationText(limit))")
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .failed("interrupted")
        }
    }
}
