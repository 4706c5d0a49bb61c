/* As toolkits are that register types with GLib: the second time that it is initialised in a process it fails. */
#include <stdlib.h>

__attribute__((constructor)) static void initialise(void) {
    if (getenv("KMIDI_TEST_ONCE")) abort();
    setenv("KMIDI_TEST_ONCE", "1", 1);
}
