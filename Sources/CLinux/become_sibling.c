#include "constants.h"
#include "processes.h"

#include <sys/syscall.h>

// What both processes send: a byte of the caller's, and the number of the new process, which the kernel puts there.
static struct __attribute__((packed)) {
    uint8_t kind;
    int pid;
} message;

// In the caller this returns only when there is no new process. It wakes up when that has executed a program or ended, with a
// memory, stack included, as the other has left it: so that it sends and exits with what it has in registers.
#if defined(__x86_64__)
static long clone_and_leave(unsigned long flags, int fd) {
    long result = SYS_clone;
    register void *pid __asm__("rdx") = &message.pid;
    register long child_pid __asm__("r10") = 0;
    register long tls __asm__("r8") = 0;
    register long to __asm__("r12") = fd;
    register void *text __asm__("r13") = &message;
    __asm__ volatile("xorl %%esi, %%esi\n\t"
                     "syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jle 1f\n\t"
                     "movl %[write], %%eax\n\t"
                     "movq %%r12, %%rdi\n\t"
                     "movq %%r13, %%rsi\n\t"
                     "movl %[size], %%edx\n\t"
                     "syscall\n\t"
                     "movl %[exit], %%eax\n\t"
                     "xorl %%edi, %%edi\n\t"
                     "syscall\n\t"
                     "ud2\n"
                     "1:"
                     : "+a"(result), "+D"(flags), "+r"(pid)
                     : "r"(child_pid), "r"(tls), "r"(to), "r"(text), [write] "i"(SYS_write),
                       [exit] "i"(SYS_exit_group), [size] "i"(sizeof message)
                     : "rcx", "rsi", "r11", "cc", "memory");
    return result;
}
#elif defined(__aarch64__)
static long clone_and_leave(unsigned long flags, int fd) {
    register long result __asm__("x0") = (long)flags;
    register long stack __asm__("x1") = 0;
    register void *pid __asm__("x2") = &message.pid;
    register long tls __asm__("x3") = 0;
    register long child_pid __asm__("x4") = 0;
    register long number __asm__("x8") = SYS_clone;
    register long to __asm__("x19") = fd;
    register void *text __asm__("x20") = &message;
    __asm__ volatile("svc #0\n\t"
                     "cmp x0, #0\n\t"
                     "b.le 1f\n\t"
                     "mov x0, x19\n\t"
                     "mov x1, x20\n\t"
                     "mov x2, %[size]\n\t"
                     "mov x8, %[write]\n\t"
                     "svc #0\n\t"
                     "mov x0, #0\n\t"
                     "mov x8, %[exit]\n\t"
                     "svc #0\n\t"
                     "brk #1\n"
                     "1:"
                     : "+r"(result), "+r"(stack), "+r"(pid), "+r"(number)
                     : "r"(tls), "r"(child_pid), "r"(to), "r"(text), [write] "i"(SYS_write),
                       [exit] "i"(SYS_exit_group), [size] "i"(sizeof message)
                     : "cc", "memory");
    return result;
}
#else
static long clone_and_leave(unsigned long flags, int fd) { return flags && fd ? -ENOSYS : -EINVAL; }
#endif

long cl_become_sibling(int fd, uint8_t kind) {
    message.kind = kind;
    message.pid = 0;
    long result = clone_and_leave(CLONE_VM | CLONE_VFORK | CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, fd);
    if (result != 0)
        return result;
    // The new process says it first, so that it is known while execve(2) waits; the caller too, for it may have been killed.
    if (syscall(SYS_write, fd, &message, sizeof message) < 0)
        _exit(1);
    return 0;
}
