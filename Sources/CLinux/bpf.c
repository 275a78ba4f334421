#define _GNU_SOURCE
#include "bpf.h"

#include <errno.h>
#include <string.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct bpf_insn) == 8, "one instruction is 64 bits");

static int bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

int cl_bpf_load_cgroup_device(const uint64_t *instructions, uint32_t count, char *log, uint32_t log_size) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.expected_attach_type = BPF_CGROUP_DEVICE;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = count;
    // The program calls no helper, so that any licence is accepted (bpf(2)).
    attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, "swiftlet_device", sizeof "swiftlet_device");
    if (log_size > 0) {
        log[0] = 0;
        attributes.log_buf = (uint64_t)(uintptr_t)log;
        attributes.log_size = log_size;
        attributes.log_level = 1;
    }
    return bpf(BPF_PROG_LOAD, &attributes);
}

int cl_bpf_attach_cgroup_device(int cgroup, int program, int replaced) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced >= 0) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = (uint32_t)replaced;
    }
    return bpf(BPF_PROG_ATTACH, &attributes);
}

int cl_bpf_query_cgroup_device(int cgroup, uint32_t *ids, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = (uint32_t)cgroup;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uint64_t)(uintptr_t)ids;
    attributes.query.prog_cnt = count;
    int result = bpf(BPF_PROG_QUERY, &attributes);
    return result < 0 ? result : (int)attributes.query.prog_cnt;
}

int cl_bpf_program_by_id(uint32_t id) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_id = id;
    return bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}
