"""Makes system calls under a filter and tells how each ended.

usage: probe.py FILTER|- < CALLS
A line of CALLS: LABEL ABI NUMBER ARGUMENT...   ABI is "64" or "32" (int 0x80). A word "text:x" is the address of the string x.
Prints "LABEL ok", "LABEL <errno>" or "LABEL signal <n>" a line. FILTER holds classic BPF; "-" means no filter.
Each call is made in a process of its own, which loads the filter just before.
"""
import ctypes, mmap, os, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

# push rbx; mov eax, edi; mov ebx, esi; mov ecx, edx; mov edx, r8d; int 0x80; pop rbx; ret
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex("53" "89f8" "89f3" "89d1" "4489c2" "cd80" "5b" "c3"))
int80 = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_int] * 5)(ctypes.addressof(ctypes.c_char.from_buffer(code)))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def load(program):
    filter = ctypes.create_string_buffer(program, len(program))
    argument = Program(len(program) // 8, ctypes.cast(filter, ctypes.c_void_p).value)
    if libc.prctl(22, 2, ctypes.byref(argument), 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        os._exit(99)


def call(program, abi, number, arguments):
    strings = [ctypes.create_string_buffer(a[5:].encode()) if a.startswith("text:") else None for a in arguments]
    words = [ctypes.addressof(s) if s else int(a, 0) for s, a in zip(strings, arguments)]
    words += [0] * (6 - len(words))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        if program:
            load(program)
        if abi == "64":
            result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(w) for w in words])
            error = ctypes.get_errno() if result == -1 else 0
        else:
            result = int80(number, words[0], words[1], 0, words[2])
            error = -result if -4096 < result < 0 else 0
        os.write(write, struct.pack("i", error))
        os._exit(0)
    os.close(write)
    answer = os.read(read, 4)
    os.close(read)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "signal %d" % os.WTERMSIG(status)
    if len(answer) != 4:
        return "exit %d" % os.WEXITSTATUS(status)
    error = struct.unpack("i", answer)[0]
    return "ok" if error == 0 else str(error)


program = None if sys.argv[1] == "-" else open(sys.argv[1], "rb").read()
for line in sys.stdin:
    label, abi, number, *arguments = line.split()
    print(label, call(program, abi, int(number, 0), arguments), flush=True)
