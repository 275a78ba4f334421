/// The names of RuntimeDefault's allow list, by subject: what any program may ask of the kernel without a capability.
///
/// Not here on purpose: namespaces and mounts (`unshare`, `setns`, `mount`, `pivot_root`...), `bpf` and
/// `perf_event_open`, the keyrings, `io_uring_*`, `userfaultfd`, loading of modules and kernels, setting the clock,
/// `ptrace` (rules of its own).
enum DefaultSyscalls {
    static let allowed: [String] = subjects.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }

    private static let subjects = [
        descriptors, paths, attributes, transfer, waiting, memory, processes, scheduling, identity, signals, clocks,
        sockets,
        messages, system,
    ]

    private static let descriptors = """
        open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 ioctl flock lseek _llseek fstat
        fstat64 fstatfs fstatfs64 fsync fdatasync syncfs sync sync_file_range ftruncate ftruncate64 fallocate
        fadvise64 fadvise64_64 readahead pipe pipe2 memfd_create memfd_secret getdents getdents64 name_to_handle_at
        """

    private static let paths = """
        access faccessat faccessat2 stat stat64 lstat lstat64 fstatat64 newfstatat statx statfs statfs64 statmount
        listmount readlink readlinkat link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 mkdir
        mkdirat rmdir mknod mknodat truncate truncate64 chdir fchdir getcwd umask utime utimes futimesat utimensat
        utimensat_time64 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
        """

    private static let attributes = """
        chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 getxattr lgetxattr
        fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat
        removexattr lremovexattr fremovexattr removexattrat
        """

    private static let transfer = """
        read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 sendfile sendfile64 splice tee
        vmsplice copy_file_range io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents
        io_pgetevents_time64
        """

    private static let waiting = """
        select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl
        epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 futex futex_time64
        futex_wait futex_waitv futex_wake futex_requeue set_robust_list get_robust_list membarrier rseq
        """

    private static let memory = """
        brk mmap mmap2 munmap mremap remap_file_pages mprotect madvise mincore msync mlock mlock2 mlockall munlock
        munlockall mseal pkey_alloc pkey_free pkey_mprotect map_shadow_stack process_mrelease cachestat
        """

    private static let processes = """
        fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid
        getsid setsid pidfd_open pidfd_send_signal prctl set_tid_address get_thread_area set_thread_area
        restart_syscall uretprobe getrlimit ugetrlimit setrlimit prlimit64 getrusage times seccomp
        landlock_create_ruleset landlock_add_rule landlock_restrict_self lsm_get_self_attr lsm_set_self_attr
        lsm_list_modules
        """

    private static let scheduling = """
        sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
        sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
        sched_rr_get_interval_time64 getpriority setpriority ioprio_get ioprio_set getcpu
        """

    private static let identity = """
        getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid
        getresgid32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32
        setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 getgroups getgroups32 setgroups setgroups32
        capget capset
        """

    private static let signals = """
        kill tkill tgkill pause sigaltstack sigprocmask sigreturn signalfd signalfd4 rt_sigaction rt_sigpending
        rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
        rt_tgsigqueueinfo
        """

    private static let clocks = """
        time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep
        clock_nanosleep_time64 nanosleep adjtimex clock_adjtime clock_adjtime64 alarm getitimer setitimer timer_create
        timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
        timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
        """

    private static let sockets = """
        socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt
        setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64
        """

    private static let messages = """
        ipc msgget msgsnd msgrcv msgctl semget semop semctl semtimedop semtimedop_time64 shmget shmat shmdt shmctl
        mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive
        mq_timedreceive_time64
        """

    private static let system = "uname sysinfo getrandom"
}
