/* The second half of opening a plan: every entry of its tables. */
#ifndef GRETA_PLAN_TABLES_H
#define GRETA_PLAN_TABLES_H

#include "runtime/plan.h"

/* Checks the tables of a plan whose header and sections are sound: strings, types, indices, that everything lies inside
 * what contains it, that sums do not overflow. Afterwards any field may be followed without looking. FORMAT, naming the
 * entry; nothing is allocated. */
enum greta_status greta_plan_check_tables(const struct greta_plan *plan, struct greta_error *error);

#endif
