//go:build !purego

#include "textflag.h"

// TURN is twelve fused multiply-adds, none of which waits for another.
#define TURN(x, y, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) \
	VFMADD231PS x, y, a0; \
	VFMADD231PS x, y, a1; \
	VFMADD231PS x, y, a2; \
	VFMADD231PS x, y, a3; \
	VFMADD231PS x, y, a4; \
	VFMADD231PS x, y, a5; \
	VFMADD231PS x, y, a6; \
	VFMADD231PS x, y, a7; \
	VFMADD231PS x, y, a8; \
	VFMADD231PS x, y, a9; \
	VFMADD231PS x, y, a10; \
	VFMADD231PS x, y, a11

// func fma256(turns int)
TEXT ·fma256(SB), NOSPLIT, $0-8
	MOVQ turns+0(FP), CX
	VZEROALL

loop:
	TURN(Y14, Y15, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11)
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

// func fma512(turns int)
TEXT ·fma512(SB), NOSPLIT, $0-8
	MOVQ turns+0(FP), CX
	VZEROALL

loop:
	TURN(Z14, Z15, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11)
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

// func read256(p *byte, turns int)
TEXT ·read256(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), SI
	MOVQ turns+8(FP), CX

loop:
	VMOVUPS    (SI), Y0
	VMOVUPS    32(SI), Y1
	VMOVUPS    64(SI), Y2
	VMOVUPS    96(SI), Y3
	VMOVUPS    128(SI), Y4
	VMOVUPS    160(SI), Y5
	VMOVUPS    192(SI), Y6
	VMOVUPS    224(SI), Y7
	ADDQ       $256, SI
	DECQ       CX
	JNZ        loop
	VZEROUPPER
	RET
