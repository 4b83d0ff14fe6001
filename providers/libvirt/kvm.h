/* Does KVM work here? */
#ifndef PROVIDERS_LIBVIRT_KVM_H
#define PROVIDERS_LIBVIRT_KVM_H

#include <stdbool.h>

/*
 * True if the cpuinfo file (that of Linux's /proc) names the processor flag vmx or svm, and the
 * device can be opened for reading and writing. A device alone proves nothing: there are
 * paravirtual kernels whose /dev/kvm opens and makes machines that hang.
 */
bool kvm_works(const char *cpuinfo, const char *device);

#endif
