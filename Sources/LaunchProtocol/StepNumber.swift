extension Step {
    /// Numbers of steps on the wire, given once and for ever: a step whose fields change becomes a new number.
    package enum Number: UInt16, Sendable, CaseIterable {
        case setOOMScoreAdj = 1
        case resetScheduling = 2
        case setResourceLimit = 3
        case makeOverlay = 4
        case cloneTree = 5
        case makeFilesystem = 6
        case enterMountNamespace = 7
        case attachRoot = 8
        case attach = 9
        case makeDirectory = 10
        case makeSymlink = 11
        case makeDevice = 12
        case mask = 13
        case makeReadonly = 14
        case makeRootReadonly = 15
        case setRootPropagation = 16
        case pivotRoot = 17
        case openTerminal = 18
        case joinContainer = 19
        case unshareNamespaces = 20
        case pinNamespace = 21
        case setHostname = 22
        case bringLoopbackUp = 23
        case writeSysctl = 24
        case setUmask = 25
        case newSessionKeyring = 26
        case setBoundingCapabilities = 27
        case setUser = 28
        case setCapabilities = 29
        case setNoNewPrivileges = 30
        case changeDirectory = 31
        case installSeccompFilter = 32
        case execute = 33
        case executePodInit = 34
        case hold = 35
    }

    package var number: Number {
        switch self {
        case .setOOMScoreAdj: .setOOMScoreAdj
        case .resetScheduling: .resetScheduling
        case .setResourceLimit: .setResourceLimit
        case .makeOverlay: .makeOverlay
        case .cloneTree: .cloneTree
        case .makeFilesystem: .makeFilesystem
        case .enterMountNamespace: .enterMountNamespace
        case .attachRoot: .attachRoot
        case .attach: .attach
        case .makeDirectory: .makeDirectory
        case .makeSymlink: .makeSymlink
        case .makeDevice: .makeDevice
        case .mask: .mask
        case .makeReadonly: .makeReadonly
        case .makeRootReadonly: .makeRootReadonly
        case .setRootPropagation: .setRootPropagation
        case .pivotRoot: .pivotRoot
        case .openTerminal: .openTerminal
        case .joinContainer: .joinContainer
        case .unshareNamespaces: .unshareNamespaces
        case .pinNamespace: .pinNamespace
        case .setHostname: .setHostname
        case .bringLoopbackUp: .bringLoopbackUp
        case .writeSysctl: .writeSysctl
        case .setUmask: .setUmask
        case .newSessionKeyring: .newSessionKeyring
        case .setBoundingCapabilities: .setBoundingCapabilities
        case .setUser: .setUser
        case .setCapabilities: .setCapabilities
        case .setNoNewPrivileges: .setNoNewPrivileges
        case .changeDirectory: .changeDirectory
        case .installSeccompFilter: .installSeccompFilter
        case .execute: .execute
        case .executePodInit: .executePodInit
        case .hold: .hold
        }
    }
}
