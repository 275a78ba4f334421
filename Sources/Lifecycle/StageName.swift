/// The parts that operations are made of: a fixed set, so that a statistic by stage is bounded.
package enum StageName: String, Sendable, CaseIterable {
    // Of a pod's start.
    case hostFiles = "host files"
    case supervisor
    /// Within `supervisor`: the program is started and makes the pod's namespaces.
    case birth
    /// Within `supervisor`: the daemon connects to it.
    case connection
    case network
    /// Within `network`: one CNI plugin.
    case plugin
    case podInit = "init"
    case undo
    // Of a container's.
    case image
    /// Within `image`: who the process runs as.
    case user
    case retainImage = "retain image"
    case writableLayer = "writable layer"
    case volumeCopy = "volume copy"
    /// Description and plan, made when the container is, so that what cannot be planned is refused at once.
    case trialPlan = "trial plan"
    case description
    case plan
    /// Within `plan`: a seccomp profile that was not compiled before.
    case seccompFilter = "seccomp filter"
    case launch
    // Of the end of both.
    case containers
    case signal
    case wait
    case kill
    case endSupervisor = "end supervisor"
    case removeCgroup = "remove cgroup"
    case removeSupervisorCgroup = "remove supervisor's cgroup"
    case releaseMounts = "release mounts"
    case filesAndRecord = "files and record"
    // Of several.
    case record
    case finalRecord = "final record"
    case cgroup
}
