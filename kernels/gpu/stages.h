/* Brings what a block of many tokens multiplies into shared memory ahead of its use: digits of its tokens, plane by plane,
 * and, where the target wants them there, its tiles of weights.
 *
 * The columns are gone through 256 at a time, in PASSES stages each, of `PLANES` planes of digits. A stage in shared
 * memory is [PLANES][GRETA_PANEL_TOKENS][GRETA_DIGIT_PLANE], an odd number of 32 bytes from token to token, so that the 32
 * bytes that four tokens read lie in different banks; in the second of two passes the tails of all four planes follow. Tiles
 * are in a ring of their own, a place for each block of columns. */
#ifndef GRETA_GPU_STAGES_H
#define GRETA_GPU_STAGES_H

#include "kernels/gpu/panels.h"

/* What is this block's. */
struct greta_panel_job {
	const struct greta_gpu_digits *digits; /* of its first token */
	uint32_t blocks, activations;
	uint32_t tokens; /* at most GRETA_PANEL_TOKENS */
	const uint8_t *tile[GRETA_PANEL_GROUPS]; /* the wave's first tiles */
	int32_t unit[GRETA_PANEL_GROUPS];        /* greta_panel_unit */
};

/* A block's shared memory begins with what greta_panel_scales makes: a word for each group of a wave and token. */
#define GRETA_HIGH_BYTES (GRETA_PANEL_GROUPS * GRETA_PANEL_TOKENS * 4)

GRETA_DEVICE uint32_t (*greta_panel_high(void *memory))[GRETA_PANEL_TOKENS]
{
	return (uint32_t(*)[GRETA_PANEL_TOKENS])memory;
}

template <uint32_t PLANES, uint32_t PASSES, uint32_t BYTES> struct greta_stages {
	static const uint32_t ROWS = PLANES * GRETA_PANEL_TOKENS, PLANE_BYTES = ROWS * GRETA_DIGIT_PLANE;
	static const uint32_t STAGE_BYTES = PLANE_BYTES + (PASSES == 2 ? 4 * GRETA_PANEL_TOKENS * 32 : 0);
	static const uint32_t PLACE_BYTES = GRETA_SHARED_TILES ? GRETA_PANEL_TILES * BYTES : 0;
	/* Stages, and places for tiles: one is brought while the other is multiplied, where there is room for two. */
	static const uint32_t COUNT =
	    PLANES == 2 && GRETA_HIGH_BYTES + 2 * (STAGE_BYTES + PLACE_BYTES) <= GRETA_PANEL_SHARED_BYTES ? 2 : 1;
	static const uint32_t UNITS = GRETA_DIGIT_PLANE / 16; /* of a row */
	static const uint32_t WAVE_ROWS = ROWS / GRETA_PANEL_WAVES;
	static const uint32_t DIGIT_COPIES = (WAVE_ROWS * UNITS + GRETA_WAVE - 1) / GRETA_WAVE;
	static const uint32_t TAIL_COPIES = 8 * GRETA_PANEL_TOKENS / GRETA_PANEL_THREADS;
	static const uint32_t TILE_COPIES = GRETA_SHARED_TILES ? (BYTES / 16 + GRETA_WAVE - 1) / GRETA_WAVE : 0;
	static_assert(GRETA_HIGH_BYTES + COUNT * (STAGE_BYTES + PLACE_BYTES) <= GRETA_PANEL_SHARED_BYTES,
	              "fits what the planner gives a block");

	uint8_t *shared;
	uint32_t stage, place; /* that is multiplied: where its digits are, and its tiles */
	uint32_t next_block, next_pass, next_stage, next_place; /* that is brought next */

	struct greta_copies {
		struct greta_copy digits[DIGIT_COPIES], tails[TAIL_COPIES];
	};

	GRETA_MEMBER uint8_t *tile_place(uint32_t i, uint32_t slot) const
	{
		return shared + COUNT * STAGE_BYTES + (i * GRETA_PANEL_TILES + slot) * BYTES;
	}

	/* Starts to bring the next stage, if there is one. */
	GRETA_MEMBER void start(const struct greta_panel_job &job, struct greta_copies &copies) const
	{
		uint32_t lane = greta_lane(), wave = greta_thread() / GRETA_WAVE;
		if (next_block < job.blocks) {
			const uint8_t *from = (const uint8_t *)(job.digits + next_block);
			uint32_t stride = job.blocks * (uint32_t)sizeof(struct greta_gpu_digits);
			uint8_t *to = shared + next_stage * STAGE_BYTES;
#pragma unroll
			for (uint32_t i = 0; i < DIGIT_COPIES; i++) {
				uint32_t unit = lane + i * GRETA_WAVE, row = unit / UNITS, column = unit - row * UNITS;
				row += wave * WAVE_ROWS;
				if (WAVE_ROWS * UNITS % GRETA_WAVE && unit >= WAVE_ROWS * UNITS)
					break;
				uint32_t token = greta_min(row % GRETA_PANEL_TOKENS, job.tokens - 1);
				uint32_t plane = row / GRETA_PANEL_TOKENS + (PASSES == 2 ? 2 * next_pass : 0);
				copies.digits[i] =
				    greta_copy_start(to + (wave * WAVE_ROWS * UNITS + unit) * 16,
				                     from + token * stride + plane * GRETA_DIGIT_PLANE + column * 16);
			}
			if (PASSES == 2 && next_pass)
#pragma unroll
				for (uint32_t i = 0; i < TAIL_COPIES; i++) {
					uint32_t unit = greta_thread() + i * GRETA_PANEL_THREADS, row = unit / 2;
					uint32_t token = greta_min(row % GRETA_PANEL_TOKENS, job.tokens - 1);
					copies.tails[i] = greta_copy_start(
					    to + PLANE_BYTES + unit * 16,
					    from + token * stride + row / GRETA_PANEL_TOKENS * GRETA_DIGIT_PLANE +
					        GRETA_DIGIT_TAIL + unit % 2 * 16);
				}
			if constexpr (TILE_COPIES > 0) {
				if (PASSES == 2 && next_pass) {
					greta_copies_started();
					return;
				}
#pragma unroll
				for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++) {
					uint8_t *tile = tile_place(next_place, wave * GRETA_PANEL_GROUPS + g);
					const uint8_t *at = job.tile[g] + (size_t)next_block * BYTES;
#pragma unroll
					for (uint32_t i = 0; i < TILE_COPIES; i++) {
						uint32_t offset = (lane + i * GRETA_WAVE) * 16;
						if (offset < BYTES)
							greta_copy_end(greta_copy_start(tile + offset, at + offset), tile + offset);
					}
				}
			}
		}
		greta_copies_started();
	}

	/* Ends what was started, and goes on. */
	GRETA_MEMBER void end(const struct greta_panel_job &job, const struct greta_copies &copies)
	{
		uint32_t lane = greta_lane(), wave = greta_thread() / GRETA_WAVE;
		if (next_block >= job.blocks)
			return;
		uint8_t *to = shared + next_stage * STAGE_BYTES;
#pragma unroll
		for (uint32_t i = 0; i < DIGIT_COPIES; i++) {
			uint32_t unit = lane + i * GRETA_WAVE;
			if (WAVE_ROWS * UNITS % GRETA_WAVE && unit >= WAVE_ROWS * UNITS)
				break;
			greta_copy_end(copies.digits[i], to + (wave * WAVE_ROWS * UNITS + unit) * 16);
		}
		if (PASSES == 2 && next_pass)
#pragma unroll
			for (uint32_t i = 0; i < TAIL_COPIES; i++)
				greta_copy_end(copies.tails[i],
				               to + PLANE_BYTES + (greta_thread() + i * GRETA_PANEL_THREADS) * 16);
		next_stage = next_stage + 1 == COUNT ? 0 : next_stage + 1;
		if (++next_pass < PASSES)
			return;
		next_pass = 0;
		next_block++;
		next_place = next_place + 1 == COUNT ? 0 : next_place + 1;
	}

	GRETA_MEMBER void begin(const struct greta_panel_job &job, uint8_t *memory)
	{
		shared = memory + GRETA_HIGH_BYTES;
		stage = place = next_block = next_pass = next_stage = next_place = 0;
		for (uint32_t i = 0; i + 1 < COUNT; i++) {
			struct greta_copies copies;
			start(job, copies);
			end(job, copies);
		}
	}

	/* Calls multiply(tiles, digits) on the next stage, while a later one is on its way. last: of its block of columns. */
	template <class MULTIPLY>
	GRETA_MEMBER void step(const struct greta_panel_job &job, uint32_t block, bool last, MULTIPLY multiply)
	{
		uint32_t wave = greta_thread() / GRETA_WAVE;
		struct greta_copies copies;
		if (COUNT == 1) {
			greta_barrier();
			start(job, copies);
			end(job, copies);
			greta_copies_wait<0>();
		} else {
			greta_copies_wait<COUNT == 1 ? 0 : COUNT - 2>();
		}
		greta_barrier();
		if (COUNT > 1)
			start(job, copies);
		if (COUNT > 1 && !GRETA_COPIES_HELD)
			end(job, copies);
		const uint8_t *tile[GRETA_PANEL_GROUPS];
		for (uint32_t g = 0; g < GRETA_PANEL_GROUPS; g++)
			tile[g] = GRETA_SHARED_TILES ? tile_place(place, wave * GRETA_PANEL_GROUPS + g)
			                             : job.tile[g] + (size_t)block * BYTES;
		const uint8_t *at = shared + stage * STAGE_BYTES;
		struct greta_panel_digits x = {at, at + PLANE_BYTES};
		multiply(tile, x);
		if (COUNT > 1 && GRETA_COPIES_HELD)
			end(job, copies);
		stage = stage + 1 == COUNT ? 0 : stage + 1;
		if (last)
			place = place + 1 == COUNT ? 0 : place + 1;
	}
};

#endif
