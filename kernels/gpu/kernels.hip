/* Every family of GPU kernels, compiled as one unit into a target's one code object. Names of file scope are therefore
 * unique among the families. */
#include "kernels/gpu/elementwise.hip"
#include "kernels/gpu/attention.hip"
#include "kernels/gpu/digits.hip"
#include "kernels/gpu/embed.hip"
#include "kernels/gpu/prefill.hip"
#include "kernels/gpu/product.hip"
#include "kernels/gpu/sample.hip"
#include "kernels/gpu/stamp.hip"
