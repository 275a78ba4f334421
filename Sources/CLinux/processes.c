#include "constants.h"
#include "processes.h"

#include <grp.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define RESULT(call)                                                                                                   \
    do {                                                                                                               \
        long result_ = (long)(call);                                                                                   \
        return result_ < 0 ? -errno : result_;                                                                         \
    } while (0)


long cl_clone3(uint64_t flags, int cgroup, int *pidfd) {
    struct clone_args arguments = {
        .flags = flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    RESULT(syscall(SYS_clone3, &arguments, sizeof arguments));
}

long cl_clone(unsigned long flags) {
#if defined(__s390x__)
    RESULT(syscall(SYS_clone, NULL, flags | SIGCHLD, NULL, NULL, 0));
#else
    RESULT(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0));
#endif
}

void cl_exit(int status) { _exit(status); }
long cl_getpid(void) { return syscall(SYS_getpid); }
long cl_gettid(void) { return syscall(SYS_gettid); }
long cl_setsid(void) { RESULT(setsid()); }
long cl_geteuid(void) { return (long)geteuid(); }
long cl_unshare(unsigned long flags) { RESULT(syscall(SYS_unshare, flags)); }
long cl_setns(int fd, int flags) { RESULT(setns(fd, flags)); }

long cl_pidfd_open(int pid) { RESULT(syscall(SYS_pidfd_open, pid, 0)); }
long cl_pidfd_send_signal(int pidfd, int signal) { RESULT(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)); }

static long wait_pidfd(int pidfd, int options, int *code, int *status) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | options) < 0)
        return -errno;
    if (info.si_pid == 0)
        return 0;
    *code = info.si_code;
    *status = info.si_status;
    return 1;
}

long cl_wait_pidfd(int pidfd, int block, int *code, int *status) {
    return wait_pidfd(pidfd, block ? 0 : WNOHANG, code, status);
}

long cl_peek_pidfd(int pidfd, int *code, int *status) { return wait_pidfd(pidfd, WNOHANG | WNOWAIT, code, status); }

long cl_reap_any(void) { RESULT(waitpid(-1, NULL, WNOHANG)); }

long cl_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    RESULT(prctl(option, a, b, c, d));
}

// The kernel's view of struct sigaction: the C library's sigaction(2) refuses the signals it keeps for itself.
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

long cl_reset_signals(void) {
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP)
            continue;
        struct kernel_sigaction old;
        if (syscall(SYS_rt_sigaction, signal, NULL, &old, sizeof(uint64_t)) < 0)
            return -errno;
        if (old.handler == (void *)SIG_DFL)
            continue;
        struct kernel_sigaction fresh = {.handler = (void *)SIG_DFL};
        if (syscall(SYS_rt_sigaction, signal, &fresh, NULL, sizeof(uint64_t)) < 0)
            return -errno;
    }
    uint64_t empty = 0;
    RESULT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &empty, NULL, sizeof empty));
}

// Where a handler writes to; the descriptor plus one, so that 0 means none.
static volatile int note_targets[65];

static void note_signal(int number) {
    int error = errno;
    unsigned char byte = number;
    int target = note_targets[number];
    // A full pipe loses no more than repetitions: its reader has not yet seen what is in it.
    long written = target > 0 ? write(target - 1, &byte, 1) : 0;
    (void)written;
    errno = error;
}

long cl_note_signal(int number, int fd) {
    if (number < 1 || number > 64)
        return -EINVAL;
    if (fd < 0 && signal(number, SIG_IGN) == SIG_ERR)
        return -errno;
    note_targets[number] = fd + 1;
    if (fd < 0)
        return 0;
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    RESULT(sigaction(number, &action, NULL));
}
long cl_kill(int pid, int signal) { RESULT(kill(pid, signal)); }

long cl_block_signals(uint64_t mask) {
    RESULT(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof mask));
}
long cl_unblock_signals(void) {
    uint64_t none = 0;
    RESULT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none));
}
long cl_wait_signal(uint64_t mask) { RESULT(syscall(SYS_rt_sigtimedwait, &mask, NULL, NULL, sizeof mask)); }

uint32_t cl_umask(uint32_t mask) { return umask(mask); }

long cl_prlimit(unsigned resource, const uint64_t *new_limit, uint64_t *old_limit) {
    // struct rlimit64 is {soft, hard}, 64 bits each.
    RESULT(syscall(SYS_prlimit64, 0, resource, new_limit, old_limit));
}

long cl_reset_scheduling(void) {
    struct sched_param none = {.sched_priority = 0};
    // IOPRIO_WHO_PROCESS is 1; value 0 is class none, so that the nice value decides (ioprio_set(2)).
    if (sched_setscheduler(0, SCHED_OTHER, &none) < 0 || setpriority(PRIO_PROCESS, 0, 0) < 0 ||
        syscall(SYS_ioprio_set, 1, 0, 0) < 0)
        return -errno;
    return 0;
}

long cl_setgroups(size_t count, const uint32_t *groups) { RESULT(syscall(SYS_setgroups, count, groups)); }
long cl_getgroups(size_t count, uint32_t *groups) { RESULT(syscall(SYS_getgroups, count, groups)); }
long cl_setresgid(uint32_t gid) { RESULT(syscall(SYS_setresgid, gid, gid, gid)); }
long cl_setresuid(uint32_t uid) { RESULT(syscall(SYS_setresuid, uid, uid, uid)); }

long cl_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct words[2];
    for (int i = 0; i < 2; i++) {
        words[i].effective = (uint32_t)(effective >> (32 * i));
        words[i].permitted = (uint32_t)(permitted >> (32 * i));
        words[i].inheritable = (uint32_t)(inheritable >> (32 * i));
    }
    RESULT(syscall(SYS_capset, &header, words));
}

long cl_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct words[2];
    if (syscall(SYS_capget, &header, words) < 0)
        return -errno;
    *effective = words[0].effective | (uint64_t)words[1].effective << 32;
    *permitted = words[0].permitted | (uint64_t)words[1].permitted << 32;
    *inheritable = words[0].inheritable | (uint64_t)words[1].inheritable << 32;
    return 0;
}

long cl_new_session_keyring(void) { RESULT(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0)); }

long cl_seccomp_filter(unsigned flags, const void *program, unsigned short count) {
    struct sock_fprog filter = {.len = count, .filter = (struct sock_filter *)program};
    RESULT(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
}

long cl_sethostname(const char *name, size_t length) { RESULT(sethostname(name, length)); }
long cl_execve(const char *path, char *const arguments[], char *const environment[]) {
    RESULT(execve(path, arguments, environment));
}
long cl_execveat(int fd, char *const arguments[], char *const environment[]) {
    RESULT(syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH));
}

static int argument_count;
static char **arguments;

// glibc calls constructors with main's arguments; Embedded Swift has no CommandLine.
__attribute__((constructor)) static void keep_arguments(int count, char **vector) {
    argument_count = count;
    arguments = vector;
}

int cl_argument_count(void) { return argument_count; }
const char *cl_argument(int index) { return index >= 0 && index < argument_count ? arguments[index] : NULL; }
