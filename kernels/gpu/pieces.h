/* A head's keys and values, chunk by chunk, for teams of threads that go over them. A chunk's keys lie together in
 * memory, and so do its values; a team takes them in pieces: some eights of elements of all the keys, then some eights
 * of positions of all the values. Where the target has copies that run by themselves (GRETA_BULK), pieces come through
 * a ring in shared memory, a place for each; elsewhere they are read where they lie. */
#ifndef GRETA_GPU_PIECES_H
#define GRETA_GPU_PIECES_H

#include "kernels/gpu/layouts.h"

#define GRETA_PLACES 6 /* of a team's ring, at most */

/* Eight elements of a cache, at a multiple of eight, as they lie there, so that they can be on their way early. */
template <uint32_t KV> struct greta_kv8 {
	static const uint32_t SIZE = KV == GRETA_KV_F32 ? 4 : 2; /* bytes of an element */
	struct greta_vector4 raw[SIZE / 2];

	GRETA_MEMBER void load(const void *cache, size_t index)
	{
		const uint8_t *at = (const uint8_t *)cache + index * SIZE;
		raw[0] = greta_fetch4(at);
		if constexpr (KV == GRETA_KV_F32)
			raw[1] = greta_fetch4(at + 16);
	}

	GRETA_MEMBER float at(uint32_t e) const
	{
		if constexpr (KV == GRETA_KV_F32)
			return greta_float(raw[e / 4].w[e % 4]);
		else
			return greta_half(e % 2 ? raw[0].w[e / 2] >> 16 : raw[0].w[e / 2] & 0xffff);
	}

	GRETA_MEMBER void get(float out[8]) const
	{
#pragma unroll
		for (uint32_t e = 0; e < 8; e++)
			out[e] = at(e);
	}
};

/* A team's chunks, piece by piece: of each its keys, then its values. It has one of the block's first chunks and each
 * `together`-th after it. */
template <uint32_t KV, uint32_t TEAM> struct greta_pieces {
	static const uint32_t SIZE = greta_kv8<KV>::SIZE;
	static const uint32_t KEY_EIGHTS = (GRETA_BULK ? TEAM / 4 : 16) / SIZE;   /* of elements in a piece of keys, at most */
	static const uint32_t VALUE_EIGHTS = (GRETA_BULK ? TEAM / 8 : 16) / SIZE; /* of positions in a piece of values */
	static const uint32_t ROW = GRETA_ATTENTION_CHUNK * 8 * SIZE; /* bytes of eight elements of the keys */
	static const uint32_t KEY_BYTES = KEY_EIGHTS * ROW;
	const uint8_t *k, *v; /* of the chunk whose piece is next */
	uint32_t chunk_bytes, value_bytes; /* of a chunk's keys, or its values; of a piece of values */
	uint32_t key_pieces, pieces;       /* of a chunk */
	uint32_t team, together;
	uint32_t next; /* piece of its chunk */
	uint32_t left; /* pieces that are still to be brought */
	uint32_t places, place_bytes, slot, phase; /* of the ring; the place of the piece that is used, and its barrier's */
	uint8_t *ring;
	uint64_t *barriers;  /* one for each place, then the team's own */
	uint32_t team_phase; /* of that one */

	/* For chunks first to first + count - 1 of a head, dealt to `teams` teams at most. memory: shared memory for all their
	 * rings, ring_bytes; with: GRETA_PLACES + 1 barriers for each team. Starts to bring the first pieces. */
	GRETA_MEMBER void begin(const struct greta_attention_args &a, uint32_t kv_head, uint32_t first, uint32_t count,
	                        uint32_t teams, uint8_t *memory, uint32_t ring_bytes, uint64_t *with)
	{
		uint32_t eights = a.head_dim / 8;
		size_t before = kv_head * (greta_gpu_kv_positions(a.context) / GRETA_ATTENTION_CHUNK);
		team = greta_uniform(greta_thread() / TEAM);
		chunk_bytes = eights * ROW;
		size_t at = (before + first + team) * chunk_bytes;
		k = (const uint8_t *)a.k_cache + at;
		v = (const uint8_t *)a.v_cache + at;
		value_bytes = VALUE_EIGHTS * 8 * a.head_dim * SIZE;
		key_pieces = (eights + KEY_EIGHTS - 1) / KEY_EIGHTS;
		pieces = key_pieces + GRETA_ATTENTION_CHUNK / 8 / VALUE_EIGHTS;
		place_bytes = greta_max(KEY_BYTES, value_bytes);
		uint32_t fitting = GRETA_BULK ? ring_bytes / place_bytes : teams;
		together = greta_min(greta_min(teams, count), fitting);
		places = greta_min(greta_min(GRETA_PLACES, pieces), fitting / together);
		next = slot = phase = team_phase = 0;
		left = team < together ? ((count - team - 1) / together + 1) * pieces : 0;
		ring = memory + team * places * place_bytes;
		barriers = with + team * (GRETA_PLACES + 1);
		uint32_t early = GRETA_BULK ? greta_min(places, left) : 0;
		left -= early;
		if (greta_thread() % TEAM != 0)
			return;
		greta_team_begin(&barriers[GRETA_PLACES]);
		for (uint32_t i = 0; i < early; i++)
			greta_bulk_begin(&barriers[i]);
		for (uint32_t i = 0; i < early; i++)
			bring(i);
	}

	GRETA_MEMBER const uint8_t *source() const
	{
		return next < key_pieces ? k + next * KEY_BYTES : v + (next - key_pieces) * value_bytes;
	}

	/* Brings the next piece. The team's first thread does, and knows which is next; elsewhere than with GRETA_BULK all
	 * do. */
	GRETA_MEMBER void bring(uint32_t place)
	{
		uint32_t bytes = next < key_pieces ? greta_min(KEY_BYTES, chunk_bytes - next * KEY_BYTES) : value_bytes;
		greta_bulk_copy(ring + place * place_bytes, source(), bytes, &barriers[place]);
		if (++next < pieces)
			return;
		next = 0;
		k += (size_t)together * chunk_bytes;
		v += (size_t)together * chunk_bytes;
	}

	/* The next piece, which all threads of the team wait for. */
	GRETA_MEMBER uint8_t *get() const
	{
		if (!GRETA_BULK)
			return (uint8_t *)source();
		greta_bulk_wait(&barriers[slot], phase);
		return ring + slot * place_bytes;
	}

	/* What the team's threads stored before is seen by them after. */
	GRETA_MEMBER void sync() { greta_team_barrier<TEAM>(&barriers[GRETA_PLACES], team_phase); }

	/* That piece is no longer wanted by this thread. */
	GRETA_MEMBER void release()
	{
		if (left) {
			left--;
			sync();
			if (!GRETA_BULK || greta_thread() % TEAM == 0)
				bring(slot);
		}
		slot = slot + 1 == places ? 0 : slot + 1;
		phase ^= slot == 0;
	}
};

#endif
