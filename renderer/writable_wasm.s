#include "textflag.h"

// The linker lays out constants, types, code tables (which end at epclntab), then everything writable.
// func writableStart() uintptr
TEXT ·writableStart(SB), NOSPLIT, $0-8
	MOVD $runtime·epclntab(SB), ret+0(FP)
	RET
