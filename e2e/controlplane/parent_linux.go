package main

import (
	"os"
	"strconv"
	"syscall"
)

// init asks the kernel to end this process when the one that started it ends, so that a killed test
// run leaves no servers behind. MUSTER_PARENT_PID names that process; unset means stay. It runs in
// init because the request belongs to a thread, and only init is sure to be on the first one.
func init() {
	parent, err := strconv.Atoi(os.Getenv("MUSTER_PARENT_PID"))
	if err != nil {
		return
	}
	os.Unsetenv("MUSTER_PARENT_PID") // it is about this process, not about those it starts
	const prSetPdeathsig = 1
	syscall.RawSyscall(syscall.SYS_PRCTL, prSetPdeathsig, uintptr(syscall.SIGKILL), 0)
	if os.Getppid() != parent {
		os.Exit(3) // the parent ended before the request was made
	}
}
