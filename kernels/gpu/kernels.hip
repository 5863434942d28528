/* Every family of GPU kernels, compiled as one unit into a target's one code object. Names of file scope are therefore
 * unique among the families. */
#include "kernels/gpu/elementwise.hip"
