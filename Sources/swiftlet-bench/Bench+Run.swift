import CLICore
import CRIProto

extension Bench {
    /// Measures everything of the plan and removes all that was made, whatever happens.
    func run(_ settings: [Subject.Settings], baseline: Baseline?, _ interruption: Interruption) async throws -> Report {
        var subjects: [Subject] = []
        do {
            for each in settings { subjects.append(try await Subject.open(each, interruption: interruption)) }
            let loadBefore = Machine.load()
            let floor = try await measure(subjects)
            try await end(subjects)
            return Report(
                machine: Machine.current(now: console.now()), loadBefore: loadBefore, loadAfter: Machine.load(),
                subject: side(subjects[0]), peer: subjects.count > 1 ? side(subjects[1]) : nil, floor: floor,
                baseline: baseline)
        } catch {
            do { try await end(subjects) } catch let second { note("\(second)") }
            throw error
        }
    }

    private func side(_ subject: Subject) -> Report.Side {
        Report.Side(
            name: "\(subject.runtimeName) \(subject.runtimeVersion)", endpoint: subject.settings.endpoint.description,
            samples: subject.samples)
    }

    private func end(_ subjects: [Subject]) async throws {
        var failure: (any Error)?
        for subject in subjects {
            do { try await cleanUp(subject) } catch { failure = failure ?? error }
            await subject.connection.close()
        }
        if let failure { throw failure }
    }

    private func measure(_ subjects: [Subject]) async throws -> SampleBook {
        var floor = SampleBook()
        for subject in subjects {
            try await prepare(subject)
            idleMemory(subject)
        }
        for number in 0..<plan.iterations {
            if number % 10 == 0 {
                note("pod \(number) of \(plan.iterations)")
                if !plan.floor.isEmpty { try Floor.measure(plan.floor, iterations: 20, into: &floor) }
            }
            // Who goes first changes, so that what one leaves behind in caches favours nobody.
            for subject in number.isMultiple(of: 2) ? subjects : subjects.reversed() {
                try await journey(subject, number: number)
            }
        }
        if plan.listed > 0 { try await measureReads(subjects) }
        if plan.calls > 0 {
            note("calls a second")
            for callers in [1, 10] { for subject in subjects { try await throughput(subject, callers: callers) } }
        }
        if plan.pods > 0 {
            note("\(plan.pods) pods at once")
            for subject in subjects {
                try await crowd(subject)
                if plan.measuresNode { try await crowdWithoutPlugins(subject) }
            }
        }
        if let amounts = plan.streams {
            note("streams, logs and probes")
            for subject in subjects { try await streams(subject, amounts) }
            if !plan.floor.isEmpty, amounts.probeSeconds > 0 {
                try Floor.measure(plan.floor, iterations: 20, paced: amounts.probeSeconds * Floor.pace, into: &floor)
            }
        }
        if let image = plan.pullImage {
            note("pulls of \(image)")
            for subject in subjects { try await pull(subject, image) }
        }
        return floor
    }

    private func measureReads(_ subjects: [Subject]) async throws {
        note("reading \(plan.listed) containers")
        var filled: [(pod: String, container: String)] = []
        for subject in subjects { filled.append(try await fill(subject)) }
        for _ in 0..<max(plan.iterations * 4, 20) {
            for (subject, objects) in zip(subjects, filled) { try await read(subject, objects) }
        }
        for subject in subjects { try await cleanUp(subject) }
    }
}
