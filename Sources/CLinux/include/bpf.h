#pragma once
#include <stdint.h>

// Each function is one command of bpf(2) on a program of type BPF_PROG_TYPE_CGROUP_DEVICE; all return -errno on failure.

// Loads `count` instructions; the result is a close-on-exec descriptor. The verifier's words go to `log` (log_size 0: none).
long cl_bpf_load_cgroup_device(const uint64_t *instructions, uint32_t count, char *log, uint32_t log_size);
// BPF_PROG_ATTACH with BPF_F_ALLOW_MULTI; `replaced` >= 0 swaps that attached program for the new one in one step.
long cl_bpf_attach_cgroup_device(int cgroup, int program, int replaced);
// Ids of the programs attached to this very cgroup; the result is their number.
long cl_bpf_query_cgroup_device(int cgroup, uint32_t *ids, uint32_t count);
// A close-on-exec descriptor of a loaded program.
long cl_bpf_program_by_id(uint32_t id);
// Whether cl_bpf_load_cgroup_device made the program, by its name: 0 or 1.
long cl_bpf_program_is_ours(int program);
