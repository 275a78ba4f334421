package import Planner

/// What the daemon's configuration decides for pods and containers.
package struct Settings: Sendable {
    /// Describes containers, with the defaults of the configuration.
    package var specs: SpecBuilder
    /// Compiles descriptions into launch plans.
    package var plans: PlanBuilder
    /// "copy": image VOLUMEs get a directory filled from the image. False: "ignore".
    package var copiesImageVolumes: Bool
    /// Bytes of each stream that ExecSync returns.
    package var execOutputBytesMax: Int
    /// How long ExecSync waits for pipes that descendants keep open after the process has ended.
    package var execDrain: Duration
    /// How long a killed process may take to be reported as ended.
    package var killGrace: Duration

    package init(
        specs: SpecBuilder, plans: PlanBuilder, copiesImageVolumes: Bool = true, execOutputBytesMax: Int = 16 << 20,
        execDrain: Duration = .seconds(1), killGrace: Duration = .seconds(10)
    ) {
        self.specs = specs
        self.plans = plans
        self.copiesImageVolumes = copiesImageVolumes
        self.execOutputBytesMax = execOutputBytesMax
        self.execDrain = execDrain
        self.killGrace = killGrace
    }
}
