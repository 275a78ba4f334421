#pragma once
#include <stddef.h>
#include <stdint.h>

// Processes, their namespaces and their privileges: one system call each; a negative result is -errno.

// clone3(2) without shared memory, exit signal SIGCHLD; `cgroup` < 0 leaves the child in the caller's cgroup.
long cl_clone3(uint64_t flags, int cgroup, int *pidfd);
// clone(2) without shared memory: for a process whose seccomp filter knows no clone3.
long cl_clone(unsigned long flags);
// clone(2) with CLONE_PARENT, CLONE_VM and CLONE_VFORK: returns 0 in a new process, a sibling of the caller in the same memory,
// and never in the caller, which waits for the other's execve(2) or end, and then exits with status 0. Both send to `fd`: `kind`
// and four bytes with the number of the new process. Below zero in the caller: there is no new process.
long cl_become_sibling(int fd, uint8_t kind);
void cl_exit(int status) __attribute__((noreturn));
long cl_getpid(void);
long cl_gettid(void);
long cl_setsid(void);
long cl_geteuid(void);
long cl_unshare(unsigned long flags);
long cl_setns(int fd, int flags);

long cl_pidfd_open(int pid);
long cl_pidfd_send_signal(int pidfd, int signal);
// waitid(P_PIDFD, WEXITED): 1 with the status of wait(2) as code (CLD_*) and number, 0 when the process still lives.
long cl_wait_pidfd(int pidfd, int block, int *code, int *status);
// The same without waiting, and the status stays (WNOWAIT): -ECHILD for a process that is no child.
long cl_peek_pidfd(int pidfd, int *code, int *status);
// waitpid(-1, WNOHANG): the pid, or 0.
long cl_reap_any(void);

long cl_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
// All signals to their default disposition, then an empty mask. The C library hides two of its own; this does not.
long cl_reset_signals(void);
// From now on each such signal writes its number, as one byte, to the descriptor, which must not block; -1: ignored again.
long cl_note_signal(int signal, int fd);
long cl_kill(int pid, int signal);
// Blocks the signals whose bit (signal - 1) is set.
long cl_block_signals(uint64_t mask);
long cl_unblock_signals(void);
// Waits for one of the (blocked) signals of the mask.
long cl_wait_signal(uint64_t mask);

uint32_t cl_umask(uint32_t mask);
// prlimit(2) on the calling process; either pointer may be NULL: {soft, hard}.
long cl_prlimit(unsigned resource, const uint64_t *new_limit, uint64_t *old_limit);
// setpriority(2), sched_setscheduler(2) and ioprio_set(2) to their defaults; the first failure counts.
long cl_reset_scheduling(void);

long cl_setgroups(size_t count, const uint32_t *groups);
long cl_setresgid(uint32_t gid);
long cl_setresuid(uint32_t uid);
long cl_getgroups(size_t count, uint32_t *groups);
long cl_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
long cl_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);

// keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)
long cl_new_session_keyring(void);
// seccomp(SECCOMP_SET_MODE_FILTER); the program holds `count` instructions of 8 bytes.
long cl_seccomp_filter(unsigned flags, const void *program, unsigned short count);
long cl_sethostname(const char *name, size_t length);
long cl_execve(const char *path, char *const arguments[], char *const environment[]);
long cl_execveat(int fd, char *const arguments[], char *const environment[]);

// The argument vector that the C library handed to the process before main.
int cl_argument_count(void);
const char *cl_argument(int index);
