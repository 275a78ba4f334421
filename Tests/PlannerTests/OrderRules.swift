import LaunchProtocol

/// The rules of order that every plan obeys, whatever it was made from.
enum OrderRules {
    static func violations(of plan: LaunchPlan) -> [String] {
        let steps = plan.steps
        var out: [String] = []
        func require(_ holds: Bool, _ rule: String) { if !holds { out.append(rule) } }
        func places(_ matches: (Step) -> Bool) -> [Int] { steps.indices.filter { matches(steps[$0]) } }
        func before(_ firsts: [Int], _ seconds: [Int]) -> Bool {
            guard let last = firsts.max(), let first = seconds.min() else { return true }
            return last < first
        }

        let enters = places { if case .enterMountNamespace = $0 { true } else { false } }
        let joins = places { if case .joinContainer = $0 { true } else { false } }
        let pivots = places { $0 == .pivotRoot }
        let users = places { if case .setUser = $0 { true } else { false } }
        let boundings = places { if case .setBoundingCapabilities = $0 { true } else { false } }
        let capabilities = places { if case .setCapabilities = $0 { true } else { false } }
        let filters = places { if case .installSeccompFilter = $0 { true } else { false } }
        let noNew = places { $0 == .setNoNewPrivileges }
        let ends = places { isEnd($0) }
        let covers = places { isCover($0) }
        let attaches = places { isAttach($0) }

        switch plan.kind {
        case .container, .podInit:
            require(enters.count == 1 && pivots.count == 1, "one mount namespace, one pivot")
            require(before(enters, pivots), "pivot inside the mount namespace")
        case .exec:
            require(joins.count == 1 && enters.isEmpty && pivots.isEmpty, "an exec joins once and makes no namespace")
        case .birth:
            require(ends.isEmpty && users.isEmpty && enters.isEmpty, "a birth executes nothing and keeps its ids")
            return out
        }

        require(ends == [steps.count - 1], "one end, at the end")
        require(users.count == 1 && boundings.count == 1, "one user, one bounding set")
        require(before(boundings, users), "bounding set before user")
        require(!capabilities.isEmpty && before(users, capabilities), "capabilities after user")
        require(filters.count <= 1 && noNew.count <= 1, "one filter at most")
        for (index, step) in steps.enumerated() {
            guard let boundary = enters.first ?? joins.first else { continue }
            require(stageOne(step) == (index < boundary) || isBoundary(step), "step \(index) is in its stage")
        }

        // Stage 2 ends with the file system: nothing is mounted, masked or made below after the root has changed.
        require(before(attaches + covers, pivots), "mounts and covers before pivot")
        require(before(attaches, covers), "covers after mounts")
        require(before(pivots, users), "user after pivot")

        // From the last change of capabilities on there is no privilege left to use.
        if let last = capabilities.last {
            for index in steps.indices where index > last {
                require(isUnprivileged(steps[index]), "step \(index) needs no privilege")
            }
        }
        if let filter = filters.first {
            require(
                steps.indices.filter { $0 > filter }.allSatisfy { isAllowedUnderFilter(steps[$0]) },
                "only capabilities and execve under the filter")
            if noNew.isEmpty {
                require(
                    hasAdmin(before: filter, in: steps), "a filter without no_new_privs needs CAP_SYS_ADMIN effective")
            } else {
                require(
                    before(noNew, filters) && (capabilities.max() ?? 0) < filter, "with no_new_privs the filter is last"
                )
            }
        }
        out += registerViolations(steps) + coverViolations(steps) + devViolations(steps)
        return out
    }

    private static func registerViolations(_ steps: [Step]) -> [String] {
        var out: [String] = []
        var made: Set<MountRegister> = []
        var attached: Set<MountRegister> = []
        for (index, step) in steps.enumerated() {
            switch step {
            case .makeOverlay(let register, _, _, _, _, _, _), .cloneTree(let register, _, _, _, _, _, _),
                .makeFilesystem(let register, _, _, _, _):
                if !made.insert(register).inserted { out.append("step \(index) makes register \(register) again") }
            case .attach(let register, _, _), .attachRoot(let register, _):
                if !made.contains(register) {
                    out.append("step \(index) attaches register \(register) before it is made")
                }
                if !attached.insert(register).inserted {
                    out.append("step \(index) attaches register \(register) again")
                }
            default: continue
            }
        }
        if made != attached { out.append("registers made and not attached: \(made.subtracting(attached))") }
        return out
    }

    /// No mount hides one that was attached before it.
    private static func coverViolations(_ steps: [Step]) -> [String] {
        var seen: [String] = []
        var out: [String] = []
        for step in steps {
            guard case .attach(_, let target, _) = step else { continue }
            let path = String(decoding: target, as: UTF8.self)
            if let hidden = seen.first(where: { $0 == path || $0.hasPrefix(path + "/") }) {
                out.append("\(path) hides \(hidden)")
            }
            seen.append(path)
        }
        return out
    }

    /// Nodes are made in a /dev of this launch, before anything is mounted in it.
    private static func devViolations(_ steps: [Step]) -> [String] {
        var isOwn = false
        var hasMounts = false
        var out: [String] = []
        let registers = Set(
            steps.compactMap { step -> MountRegister? in
                if case .makeFilesystem(let register, let type, _, _, _) = step, type == Array("tmpfs".utf8) {
                    register
                } else {
                    nil
                }
            })
        for (index, step) in steps.enumerated() {
            switch step {
            case .attach(let register, let target, _) where target == Array("/dev".utf8):
                isOwn = registers.contains(register)
            case .attach(_, let target, _) where target.starts(with: "/dev/".utf8): hasMounts = true
            case .makeDevice(let target, _, _, _, _, _, _) where target.starts(with: "/dev/".utf8):
                if !isOwn || hasMounts {
                    out.append("step \(index) makes a node in a /dev that is not ours or is in use")
                }
            default: continue
            }
        }
        return out
    }

    private static func hasAdmin(before index: Int, in steps: [Step]) -> Bool {
        var effective = UInt64.max
        for step in steps[..<index] {
            switch step {
            case .setUser(let uid, _, _): if uid != 0 { effective = 0 }
            case .setCapabilities(let set, _, _, _): effective = set
            default: continue
            }
        }
        return effective & (1 << 21) != 0
    }

    private static func isEnd(_ step: Step) -> Bool {
        switch step {
        case .execute, .executePodInit: true
        default: false
        }
    }

    private static func isAttach(_ step: Step) -> Bool {
        switch step {
        case .attach, .attachRoot: true
        default: false
        }
    }

    private static func isCover(_ step: Step) -> Bool {
        switch step {
        case .mask, .makeReadonly, .makeRootReadonly: true
        default: false
        }
    }

    private static func isUnprivileged(_ step: Step) -> Bool {
        switch step {
        case .setNoNewPrivileges, .installSeccompFilter, .execute, .executePodInit: true
        default: false
        }
    }

    private static func isAllowedUnderFilter(_ step: Step) -> Bool {
        switch step {
        case .setCapabilities, .execute, .executePodInit: true
        default: false
        }
    }

    private static func isBoundary(_ step: Step) -> Bool {
        switch step {
        case .enterMountNamespace, .joinContainer: true
        default: false
        }
    }

    private static func stageOne(_ step: Step) -> Bool {
        switch step {
        case .setOOMScoreAdj, .resetScheduling, .setResourceLimit, .makeOverlay, .cloneTree: true
        case .makeFilesystem(_, _, _, _, let stage): stage == .one
        default: false
        }
    }
}
