#include "constants.h"
#include "sockets.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define RESULT(call)                                                                                                   \
    do {                                                                                                               \
        long result_ = (long)(call);                                                                                   \
        return result_ < 0 ? -errno : result_;                                                                         \
    } while (0)

long cl_socketpair(int fds[2], int flags) { RESULT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0, fds)); }
long cl_unix_socket(int nonblocking) {
    RESULT(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0));
}

static long unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    return 0;
}

long cl_unix_bind(int fd, const char *path) {
    struct sockaddr_un address;
    long bad = unix_address(path, &address);
    if (bad != 0)
        return bad;
    RESULT(bind(fd, (struct sockaddr *)&address, sizeof address));
}

long cl_unix_connect(int fd, const char *path) {
    struct sockaddr_un address;
    long bad = unix_address(path, &address);
    if (bad != 0)
        return bad;
    RESULT(connect(fd, (struct sockaddr *)&address, sizeof address));
}

long cl_listen(int fd, int backlog) { RESULT(listen(fd, backlog)); }
long cl_accept(int fd) { RESULT(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)); }

long cl_peer(int fd, int *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

union control {
    char bytes[CMSG_SPACE(sizeof(int) * cl_descriptors_max)];
    struct cmsghdr align;
};

long cl_send_packet(int fd, const void *bytes, size_t count, const int *fds, unsigned fd_count) {
    if (fd_count > cl_descriptors_max)
        return -E2BIG;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    memset(&control, 0, sizeof control);
    if (fd_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    RESULT(sendmsg(fd, &message, MSG_NOSIGNAL));
}

long cl_next_packet_length(int fd) { RESULT(recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC)); }

long cl_receive_packet(int fd, void *bytes, size_t count, int fds[cl_descriptors_max], unsigned *fd_count) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    union control control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *fd_count = 0;
    long result = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (result < 0)
        return -errno;
    bool is_cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t found = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < found; i++) {
            int received;
            memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (is_cut || *fd_count == cl_descriptors_max)
                close(received);
            else
                fds[(*fd_count)++] = received;
        }
    }
    return is_cut ? -EMSGSIZE : result;
}

long cl_datagram_socket(void) { RESULT(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }

long cl_send_datagram(int fd, const void *name, size_t length, const void *bytes, size_t count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (length > sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, name, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    RESULT(sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, size));
}

long cl_loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct ifreq request = {.ifr_name = "lo"};
    long result = ioctl(fd, SIOCGIFFLAGS, &request);
    if (result == 0) {
        request.ifr_flags |= IFF_UP;
        result = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    result = result < 0 ? -errno : 0;
    close(fd);
    return result;
}

long cl_tcp_socket(int ipv6) {
    RESULT(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
}

long cl_connect_loopback(int fd, int ipv6, uint16_t port) {
    if (ipv6) {
        struct sockaddr_in6 address = {
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        RESULT(connect(fd, (struct sockaddr *)&address, sizeof address));
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    RESULT(connect(fd, (struct sockaddr *)&address, sizeof address));
}

long cl_socket_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}
