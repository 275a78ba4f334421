/* Says which user it has become; installed set-uid root to show whether no_new_privs holds. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    printf("Effective uid: %d\n", (int)geteuid());
    return 0;
}
