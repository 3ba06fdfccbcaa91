#include "textflag.h"

// func writableStart() uintptr
TEXT ·writableStart(SB), NOSPLIT, $0-8
	MOVD $runtime·noptrdata(SB), ret+0(FP)
	RET
