package cores

import "syscall"

const getcpu = syscall.SYS_GETCPU
