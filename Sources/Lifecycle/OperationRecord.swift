package import Model

/// Is told how operations go, on the operation's own thread: it must be quick and not block.
package protocol OperationObserver: Sendable {
    /// A stage has ended, maybe after the call has returned.
    func stageEnded(_ stage: OperationRecord.Stage, of operation: String)
    /// A call returns; what its work still does is not in the record.
    func ended(_ record: OperationRecord)
}

/// What is kept of one call that changed a pod or container: what it was about, how long its parts took, how it ended.
package struct OperationRecord: Sendable, Equatable {
    /// What the call was about. A container's id is empty where the call failed before there was one.
    package struct Subject: Sendable, Equatable {
        package var pod: PodID
        package var podName: String
        package var podNamespace: String
        package var podUID: String
        package var container = ""
        package var containerName = ""
    }

    /// A part of the call. Times are nanoseconds, the start counts from the call's.
    package struct Stage: Sendable, Equatable {
        package var name: StageName
        /// What it was about, such as a plugin's name; may be empty.
        package var detail = ""
        package var start: Int64
        /// 0 while it runs.
        package var duration: Int64 = 0
        /// Index of the stage that this one is a part of.
        package var parent: Int?
        package var hasFailed = false
    }

    /// The most stages of one operation; further ones are not kept.
    package static let stagesMax = 32
    /// The most of an error that is kept, in bytes.
    package static let errorBytesMax = 1024
    /// The most of a stage's detail that is kept, in bytes.
    package static let detailBytesMax = 128

    /// The CRI's name of the call.
    package let name: String
    package var subject: Subject
    /// The caller's span, if the call named one.
    package let caller: TraceParent?
    /// Nanoseconds since 1970.
    package let startedAt: Int64
    /// Nanoseconds; 0 while it runs.
    package var duration: Int64 = 0
    /// Empty if it succeeded, or while it runs.
    package var error = ""
    /// By start.
    package var stages: [Stage] = []
}

extension OperationRecord.Subject {
    init(_ pod: PodController) {
        self.pod = pod.id
        podName = pod.metadata.name
        podNamespace = pod.metadata.namespace
        podUID = pod.metadata.uid
    }

    init(_ container: ContainerController) {
        self.init(container.pod)
        self.container = container.id.text
        containerName = container.metadata.name
    }
}
