#include "constants.h"
#include "terminals.h"

#include <sys/ioctl.h>

#define RESULT(call)                                                                                                   \
    do {                                                                                                               \
        long result_ = (long)(call);                                                                                   \
        return result_ < 0 ? -errno : result_;                                                                         \
    } while (0)

long cl_pty_unlock(int master) {
    int locked = 0;
    RESULT(ioctl(master, TIOCSPTLCK, &locked));
}
long cl_pty_peer(int master) { RESULT(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)); }
long cl_tty_set_size(int fd, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    RESULT(ioctl(fd, TIOCSWINSZ, &size));
}
long cl_tty_size(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
long cl_tty_control(int fd) { RESULT(ioctl(fd, TIOCSCTTY, 0)); }
long cl_tty_mode(int fd, struct termios *mode) { RESULT(tcgetattr(fd, mode)); }
long cl_tty_set_mode(int fd, const struct termios *mode) { RESULT(tcsetattr(fd, TCSANOW, mode)); }
void cl_tty_make_raw(struct termios *mode) { cfmakeraw(mode); }
