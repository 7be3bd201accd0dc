package cores

const getcpu = 309 // the number of the system call, which package syscall does not have
