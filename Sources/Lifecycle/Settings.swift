package import Planner

/// What the daemon's configuration decides for pods and containers.
package struct Settings: Sendable {
    /// Describes containers, with the defaults of the configuration.
    package var specs: SpecBuilder
    /// Compiles descriptions into launch plans.
    package var plans: PlanBuilder
    /// What can change while the daemon runs.
    package let changeable: ChangeableSettings
    /// How long a killed process may take to be reported as ended.
    package var killGrace: Duration

    package init(
        specs: SpecBuilder, plans: PlanBuilder, copiesImageVolumes: Bool = true, execOutputBytesMax: Int = 16 << 20,
        execDrain: Duration = .seconds(1), killGrace: Duration = .seconds(10)
    ) {
        self.specs = specs
        self.plans = plans
        changeable = ChangeableSettings(
            .init(copiesImageVolumes: copiesImageVolumes, execOutputBytesMax: execOutputBytesMax, execDrain: execDrain))
        self.killGrace = killGrace
    }
}
