// The launcher has no tasks: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    /// A piece of a task that an executor was given and has to run once.
    package struct TaskJob: Sendable {
        private let job: UnownedJob

        package init(_ job: consuming ExecutorJob) { self.job = UnownedJob(job) }

        /// Runs it now, on this thread, which is the executor's.
        package func run(on executor: some TaskExecutor) {
            unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor())
        }

        /// Hands it to the tasks' own pool, for an executor that has ended: that is better than a task that never goes on.
        package func runElsewhere() { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }
#endif
