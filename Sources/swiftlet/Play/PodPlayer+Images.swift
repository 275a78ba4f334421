import CLICore
import CRIProto
import Play

extension PodPlayer {
    /// The image of a container, pulled as its policy says.
    func image(_ spec: ContainerManifest) async throws -> Runtime_V1_Image {
        let known = try await session.image(spec.image)
        switch (spec.pullPolicy, known) {
        case (.IfNotPresent, .some(let image)), (.Never, .some(let image)): return image
        case (.Never, nil): throw Failure("container image \"\(spec.image)\" is not present with pull policy of Never")
        case (.Always, _), (.IfNotPresent, nil): break
        }
        if isTerminating { throw CancellationError() }
        let pull = Task { try await self.pull(spec) }
        pulls[spec.name] = pull
        defer { pulls[spec.name] = nil }
        return try await withTaskCancellationHandler {
            try await pull.value
        } onCancel: {
            pull.cancel()
        }
    }

    private func pull(_ spec: ContainerManifest) async throws -> Runtime_V1_Image {
        await say("/\(spec.name): pulling image \"\(spec.image)\"")
        let start = ContinuousClock.now
        let key = "\(plan.name)/\(spec.name)"
        // What the command line says is meant for all.
        let credentials = credentials ?? PullSecrets.credentials(for: spec.image, plan.manifest, plan.pod)
        do {
            _ = try await session.watchingPull(spec.image) { [screen] progress in
                await screen.showPull(progress, for: key)
            } while: { [session, plan] in
                try await session.pullQuietly(spec.image, credentials: credentials, pod: plan.sandbox)
            }
        } catch {
            await screen.endPull(for: key)
            throw error
        }
        await screen.endPull(for: key)
        await say("/\(spec.name): pulled image \"\(spec.image)\" in \(durationText(ContinuousClock.now - start))")
        guard let image = try await session.image(spec.image) else {
            throw Failure("image \"\(spec.image)\" was pulled and is not there")
        }
        return image
    }
}
