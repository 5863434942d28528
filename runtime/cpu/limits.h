/* What a launch may ask of the cpu device. */
#ifndef GRETA_CPU_LIMITS_H
#define GRETA_CPU_LIMITS_H

#define GRETA_CPU_BLOCK_MAX 1024u       /* threads of a block; a block is one call here, the number is only checked */
#define GRETA_CPU_GRID_X_MAX 0x7fffffffu /* blocks */
#define GRETA_CPU_GRID_YZ_MAX 0xffffu
#define GRETA_CPU_SHARED_MAX (1u << 20)     /* bytes of dynamic shared memory a function may be allowed */
#define GRETA_CPU_SHARED_DEFAULT (64u << 10) /* and without hipFuncSetAttribute */

#endif
