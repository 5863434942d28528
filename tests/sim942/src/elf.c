/* Loads code objects: finds the ELF of a processor that is modelled in a bundle, maps its segments, applies relocations, reads symbols and
 * notes. */
#include <elf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "code.h"

enum { R_AMDGPU_ABS64 = 3, R_AMDGPU_REL32 = 4, R_AMDGPU_REL64 = 5, R_AMDGPU_ABS32 = 6, R_AMDGPU_RELATIVE64 = 13,
		MACHINE_AMDGPU = 224, NT_AMDGPU_METADATA_ = 32 };

/* What is modelled, by the machine that the ELF flags name. */
static const struct processor { const char *name; uint8_t machine; enum isa isa; } processors[] = {
	{ "gfx942", 0x4c, ISA_CDNA }, { "gfx90a", 0x3f, ISA_CDNA }, { "gfx1100", 0x41, ISA_RDNA3 }, { "gfx1201", 0x4e, ISA_RDNA4 },
};
enum { PROCESSORS = sizeof processors / sizeof *processors };
#define PROCESSOR_NAMES "gfx942, gfx90a, gfx1100, gfx1201"

static struct sim942_code *loaded;
static pthread_rwlock_t loaded_lock = PTHREAD_RWLOCK_INITIALIZER;

#define FAIL(...) do { snprintf(err, errlen, __VA_ARGS__); return -1; } while (0)

/* Whether a bundle's target, such as hipv4-amdgcn-amd-amdhsa--gfx942:sramecc+, is modelled. */
static bool is_modelled(const char *target)
{
	for (int i = 0; i < PROCESSORS; i++) {
		const char *at = strstr(target, processors[i].name), *end = at ? at + strlen(processors[i].name) : NULL;
		if (at && (!*end || *end == ':'))
			return true;
	}
	return false;
}

static const struct processor *processor_of(uint32_t flags)
{
	for (int i = 0; i < PROCESSORS; i++)
		if ((flags & 0xff) == processors[i].machine)
			return &processors[i];
	return NULL;
}

/* A clang offload bundle: magic, count, then offset, size and target of each entry. */
static int find_in_bundle(const uint8_t **elf, size_t *size, char *err, size_t errlen)
{
	static const char magic[] = "__CLANG_OFFLOAD_BUNDLE__";
	const uint8_t *p = *elf, *end = p + *size;
	uint64_t count;
	if (*size >= 4 && !memcmp(p, "CCOB", 4))
		FAIL("the offload bundle is compressed: build it with --no-offload-compress");
	if (*size < 32 || memcmp(p, magic, 24))
		return 0;
	memcpy(&count, p + 24, 8);
	p += 32;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t head[3];
		if (end - p < 24)
			break;
		memcpy(head, p, 24);
		p += 24;
		if ((uint64_t)(end - p) < head[2])
			break;
		char target[256];
		snprintf(target, sizeof target, "%.*s", (int)(head[2] < 200 ? head[2] : 200), (const char *)p);
		p += head[2];
		if (!is_modelled(target))
			continue;
		if (head[0] > *size || head[1] > *size - head[0])
			break;
		*elf += head[0];
		*size = head[1];
		return 0;
	}
	FAIL("the offload bundle holds no code for any of " PROCESSOR_NAMES);
}

static bool inside(uint64_t offset, uint64_t bytes, uint64_t size) { return offset <= size && bytes <= size - offset; }

static int load_segments(struct sim942_code *code, const uint8_t *elf, size_t size, char *err, size_t errlen)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)elf;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(elf + h->e_phoff);
	uint64_t top = 0;
	code->text_begin = ~0ull;
	for (int i = 0; i < h->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (!inside(ph[i].p_offset, ph[i].p_filesz, size) || ph[i].p_filesz > ph[i].p_memsz ||
				ph[i].p_vaddr + ph[i].p_memsz > 1ull << 32)
			FAIL("the code object has a segment outside the file");
		top = ph[i].p_vaddr + ph[i].p_memsz > top ? ph[i].p_vaddr + ph[i].p_memsz : top;
		if (ph[i].p_flags & PF_X) {
			code->text_begin = ph[i].p_vaddr < code->text_begin ? ph[i].p_vaddr : code->text_begin;
			code->text_end = ph[i].p_vaddr + ph[i].p_memsz > code->text_end ? ph[i].p_vaddr + ph[i].p_memsz : code->text_end;
		}
	}
	if (!top || code->text_begin >= code->text_end)
		FAIL("the code object has no executable segment: is it a linked shared object?");
	code->image_size = (top + 0xffff) & ~0xffffull;
	code->image = mmap(NULL, code->image_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code->image == MAP_FAILED) {
		code->image = NULL;
		FAIL("out of memory for a code object of %zu bytes", code->image_size);
	}
	for (int i = 0; i < h->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			memcpy(code->image + ph[i].p_vaddr, elf + ph[i].p_offset, ph[i].p_filesz);
	return 0;
}

static int load_notes(struct sim942_code *code, const uint8_t *elf, size_t size, char *err, size_t errlen)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)elf;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(elf + h->e_phoff);
	for (int i = 0; i < h->e_phnum; i++) {
		if (ph[i].p_type != PT_NOTE || !inside(ph[i].p_offset, ph[i].p_filesz, size))
			continue;
		uint64_t at = ph[i].p_offset, end = at + ph[i].p_filesz;
		while (at + 12 <= end) {
			Elf64_Nhdr n;
			memcpy(&n, elf + at, sizeof n);
			uint64_t name = at + 12, text = name + ((n.n_namesz + 3ull) & ~3ull), next = text + ((n.n_descsz + 3ull) & ~3ull);
			if (text > end || n.n_descsz > end - text)
				FAIL("the code object's notes are damaged");
			if (n.n_type == NT_AMDGPU_METADATA_ && n.n_namesz == 7 && !memcmp(elf + name, "AMDGPU", 7))
				return notes_parse(code, elf + text, n.n_descsz, err, errlen);
			at = next;
		}
	}
	FAIL("the code object has no AMDGPU metadata note");
}

/* Symbol table first, dynamic symbols if it is stripped; both name the same things. */
static int load_symbols(struct sim942_code *code, const uint8_t *elf, size_t size, char *err, size_t errlen)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)elf;
	const Elf64_Shdr *sh = (const Elf64_Shdr *)(elf + h->e_shoff);
	size_t room = 0;
	for (int i = 0; i < h->e_shnum; i++) {
		if (sh[i].sh_type != SHT_SYMTAB && sh[i].sh_type != SHT_DYNSYM)
			continue;
		if (sh[i].sh_link >= h->e_shnum || !inside(sh[i].sh_offset, sh[i].sh_size, size))
			FAIL("the code object's symbol table is damaged");
		const Elf64_Shdr *strings = &sh[sh[i].sh_link];
		if (!inside(strings->sh_offset, strings->sh_size, size) || !strings->sh_size ||
				elf[strings->sh_offset + strings->sh_size - 1])
			FAIL("the code object's string table is damaged");
		for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= sh[i].sh_size; at += sizeof(Elf64_Sym)) {
			Elf64_Sym s;
			memcpy(&s, elf + sh[i].sh_offset + at, sizeof s);
			if (!s.st_name || s.st_name >= strings->sh_size || s.st_shndx == SHN_UNDEF || s.st_shndx >= SHN_LORESERVE)
				continue;
			const char *name = (const char *)elf + strings->sh_offset + s.st_name;
			if (code->symbol_count == room) {
				room = room ? 2 * room : 64;
				struct symbol *more = realloc(code->symbols, room * sizeof *more);
				if (!more)
					FAIL("out of memory");
				code->symbols = more;
			}
			code->symbols[code->symbol_count++] = (struct symbol){ strdup(name), s.st_value, s.st_size };
		}
	}
	return 0;
}

static const struct symbol *find_symbol(const struct sim942_code *code, const char *name)
{
	for (size_t i = 0; i < code->symbol_count; i++)
		if (code->symbols[i].name && !strcmp(code->symbols[i].name, name))
			return &code->symbols[i];
	return NULL;
}

static int relocate(struct sim942_code *code, const uint8_t *elf, size_t size, char *err, size_t errlen)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)elf;
	const Elf64_Shdr *sh = (const Elf64_Shdr *)(elf + h->e_shoff);
	uint64_t base = (uint64_t)(uintptr_t)code->image;
	for (int i = 0; i < h->e_shnum; i++) {
		if (sh[i].sh_type != SHT_RELA || !(sh[i].sh_flags & SHF_ALLOC))
			continue;
		if (!inside(sh[i].sh_offset, sh[i].sh_size, size) || sh[i].sh_link >= h->e_shnum)
			FAIL("the code object's relocations are damaged");
		const Elf64_Shdr *symbols = &sh[sh[i].sh_link];
		for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= sh[i].sh_size; at += sizeof(Elf64_Rela)) {
			Elf64_Rela r;
			memcpy(&r, elf + sh[i].sh_offset + at, sizeof r);
			uint64_t value = (uint64_t)r.r_addend, index = ELF64_R_SYM(r.r_info), type = ELF64_R_TYPE(r.r_info);
			if (!inside(r.r_offset, 8, code->image_size))
				FAIL("a relocation lies outside the code object");
			if (index) {
				if (symbols->sh_offset > size || !inside(symbols->sh_offset + index * sizeof(Elf64_Sym), sizeof(Elf64_Sym), size))
					FAIL("the code object's relocations are damaged");
				Elf64_Sym s;
				memcpy(&s, elf + symbols->sh_offset + index * sizeof s, sizeof s);
				if (s.st_shndx == SHN_UNDEF && ELF64_ST_BIND(s.st_info) != STB_WEAK)
					FAIL("a symbol that the code object does not define is needed (symbol %llu)", (unsigned long long)index);
				value += s.st_shndx == SHN_UNDEF ? 0 : base + s.st_value;
			}
			uint8_t *to = code->image + r.r_offset;
			uint64_t here = base + r.r_offset;
			switch (type) {
			case R_AMDGPU_RELATIVE64: value += base; memcpy(to, &value, 8); break;
			case R_AMDGPU_ABS64: memcpy(to, &value, 8); break;
			case R_AMDGPU_ABS32: memcpy(to, &value, 4); break;
			case R_AMDGPU_REL64: value -= here; memcpy(to, &value, 8); break;
			case R_AMDGPU_REL32: value -= here; memcpy(to, &value, 4); break;
			default: FAIL("relocation type %llu is not modelled", (unsigned long long)type);
			}
		}
	}
	return 0;
}

static int load_kernels(struct sim942_code *code, char *err, size_t errlen)
{
	for (size_t i = 0; i < code->kernel_count; i++) {
		struct kernel_record *k = &code->kernels[i];
		const struct symbol *s = k->symbol ? find_symbol(code, k->symbol) : NULL;
		if (!k->name || !s || s->vaddr + 64 > code->image_size)
			FAIL("kernel %s has no descriptor", k->name ? k->name : "?");
		k->descriptor_vaddr = s->vaddr;
		k->public.name = k->name;
		k->public.descriptor = code->image + s->vaddr;
	}
	return 0;
}

static int load(struct sim942_code *code, const uint8_t *elf, size_t size, char *err, size_t errlen)
{
	if (find_in_bundle(&elf, &size, err, errlen))
		return -1;
	/* The headers are read in place, so the file has to be aligned as a fresh allocation is. */
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		FAIL("out of memory");
	memcpy(copy, elf, size);
	elf = copy;
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)elf;
	int bad = -1;
	char *text = NULL;
	if (size < sizeof *h || memcmp(h->e_ident, ELFMAG, 4) || h->e_ident[EI_CLASS] != ELFCLASS64 ||
			h->e_machine != MACHINE_AMDGPU)
		snprintf(err, errlen, "not an AMDGPU ELF and not an offload bundle");
	else if (!processor_of(h->e_flags))
		snprintf(err, errlen, "the code object is for none of " PROCESSOR_NAMES " (machine 0x%x in the ELF flags)",
				h->e_flags & 0xff);
	else if (!inside(h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr), size) ||
			!inside(h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr), size)
			|| h->e_phoff % 8 || h->e_shoff % 8)
		snprintf(err, errlen, "the code object is cut short");
	else {
		code->isa = processor_of(h->e_flags)->isa;
		bad = load_segments(code, elf, size, err, errlen) || load_notes(code, elf, size, err, errlen) ||
				load_symbols(code, elf, size, err, errlen)
			|| relocate(code, elf, size, err, errlen) || load_kernels(code, err, errlen)
			|| !(text = disassemble(elf, size, err, errlen)) || decode(code, text, err, errlen);
	}
	free(text);
	free(copy);
	return bad ? -1 : 0;
}

int sim942_load(const void *elf, size_t size, struct sim942_code **out_code, char *err, size_t errlen)
{
	struct sim942_code *code = calloc(1, sizeof *code);
	if (!code)
		FAIL("out of memory");
	if (load(code, elf, size, err, errlen)) {
		sim942_unload(code);
		return -1;
	}
	pthread_rwlock_wrlock(&loaded_lock);
	code->next = loaded;
	loaded = code;
	pthread_rwlock_unlock(&loaded_lock);
	*out_code = code;
	return 0;
}

void sim942_unload(struct sim942_code *code)
{
	if (!code)
		return;
	pthread_rwlock_wrlock(&loaded_lock);
	for (struct sim942_code **p = &loaded; *p; p = &(*p)->next)
		if (*p == code) {
			*p = code->next;
			break;
		}
	pthread_rwlock_unlock(&loaded_lock);
	ranges_changed();
	for (size_t i = 0; i < code->kernel_count; i++) {
		struct kernel_record *k = &code->kernels[i];
		for (size_t a = 0; a < k->arg_count; a++) {
			free((char *)k->args[a].kind);
			free((char *)k->args[a].name);
		}
		free(k->args);
		free(k->name);
		free(k->symbol);
	}
	for (size_t i = 0; i < code->symbol_count; i++)
		free(code->symbols[i].name);
	for (size_t i = 0; i < code->constant_count; i++)
		free((void *)code->constants[i].splat);
	for (size_t i = 0; i < code->dpp_count; i++)
		free(code->dpps[i]);
	for (size_t i = 0; i < code->pair_count; i++)
		free(code->pairs[i]);
	if (code->image)
		munmap(code->image, code->image_size);
	free(code->kernels);
	free(code->symbols);
	free(code->insns);
	free(code->insn_at);
	free(code->texts);
	free(code->constants);
	free(code->dpps);
	free(code->pairs);
	free(code);
}

size_t sim942_kernel_count(const struct sim942_code *code) { return code->kernel_count; }
const struct sim942_kernel *sim942_kernel_at(const struct sim942_code *code, size_t index)
{
	return index < code->kernel_count ? &code->kernels[index].public : NULL;
}
const struct sim942_kernel *sim942_kernel_by_name(const struct sim942_code *code, const char *name)
{
	for (size_t i = 0; i < code->kernel_count; i++)
		if (!strcmp(code->kernels[i].name, name))
			return &code->kernels[i].public;
	return NULL;
}
size_t sim942_kernel_args(const struct sim942_kernel *kernel, const struct sim942_arg **out_args)
{
	const struct kernel_record *k = (const struct kernel_record *)kernel;   /* public is its first member */
	*out_args = k->args;
	return k->arg_count;
}
void *sim942_symbol(const struct sim942_code *code, const char *name, size_t *out_size)
{
	const struct symbol *s = find_symbol(code, name);
	if (!s || s->vaddr >= code->image_size)
		return NULL;
	if (out_size)
		*out_size = s->size;
	return code->image + s->vaddr;
}

const struct insn *code_insn_at(const struct sim942_code *code, uint64_t vaddr)
{
	if (vaddr < code->text_begin || vaddr >= code->text_end || vaddr % 4)
		return NULL;
	uint32_t index = code->insn_at[(vaddr - code->text_begin) / 4];
	return index ? &code->insns[index - 1] : NULL;
}
struct sim942_code *code_of_address(const void *address)
{
	struct sim942_code *found = NULL;
	pthread_rwlock_rdlock(&loaded_lock);
	for (struct sim942_code *c = loaded; c && !found; c = c->next)
		if ((const uint8_t *)address >= c->image && (const uint8_t *)address < c->image + c->image_size)
			found = c;
	pthread_rwlock_unlock(&loaded_lock);
	return found;
}
const struct kernel_record *code_kernel_of(const struct sim942_code *code, const void *descriptor)
{
	for (size_t i = 0; i < code->kernel_count; i++)
		if (code->kernels[i].public.descriptor == descriptor)
			return &code->kernels[i];
	return NULL;
}
