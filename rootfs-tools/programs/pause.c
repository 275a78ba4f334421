/* The program of the pause image: waits for a signal that ends it. */
#include <signal.h>
#include <unistd.h>

static void leave(int number) { (void)number; _exit(0); }

int main(void) {
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    for (;;) pause();
}
