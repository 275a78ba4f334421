import Lifecycle
import Model

/// Where the daemon keeps things. One place for every path below `root` and `state`.
struct Layout: LayoutPort, Sendable {
    let root: String
    let state: String

    var rootPods: String { root + "/pods" }
    var rootContainers: String { root + "/containers" }
    var images: String { root + "/images" }
    var networks: String { root + "/cni" }
    var mountPoints: String { root + "/" + Self.mountPointsName }
    var statePods: String { state + "/pods" }

    private static let mountPointsName = "mount-points"

    /// Names below `<state>/pods/<id>`.
    enum PodState {
        static let networkNamespace = "netns"
        static let sharedMemory = "shm"
        static let anchor = "root"
    }

    /// Names below `<root>/pods/<id>`.
    enum PodRoot {
        static let exits = "exits"
        static let etc = "etc"
    }

    func podState(_ pod: PodID) -> String { statePods + "/" + pod.text }
    func podRoot(_ pod: PodID) -> String { rootPods + "/" + pod.text }
    func exits(_ pod: PodID) -> String { podRoot(pod) + "/" + PodRoot.exits }
    func containerRoot(_ container: ContainerID) -> String { rootContainers + "/" + container.text }

    func networkNamespace(_ pod: PodID) -> String { podState(pod) + "/" + PodState.networkNamespace }
    func sharedMemory(_ pod: PodID) -> String { podState(pod) + "/" + PodState.sharedMemory }
    func hostsFile(_ pod: PodID) -> String { podRoot(pod) + "/" + PodRoot.etc + "/hosts" }
    func hostnameFile(_ pod: PodID) -> String { podRoot(pod) + "/" + PodRoot.etc + "/hostname" }
    func resolvConfFile(_ pod: PodID) -> String { podRoot(pod) + "/" + PodRoot.etc + "/resolv.conf" }
    func anchor(_ pod: PodID) -> String { podState(pod) + "/" + PodState.anchor }

    func overlay(_ container: ContainerID) -> OverlayLayout {
        let own = "containers/" + container.text
        return OverlayLayout(
            directory: root, layerPrefix: "images/layers/", upper: own + "/upper", work: own + "/work",
            mountPoints: Self.mountPointsName)
    }

    func volume(_ container: ContainerID, directory: String) -> String { containerRoot(container) + "/" + directory }
}
